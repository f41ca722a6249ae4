# A tenth of the masks: how to make them count. Beside the baseline and all masks.
_base_ = './textured_digits.py'
cfcn_c = '../cfcn-c_cfcnnet_{data}.py'
guided = {'model.guidance.reduction': 'guided'}
sampler = dict(_delete_=True, type='GuidedSampler')
half = {'train_dataloader.sampler': dict(sampler, fraction=0.5)}
alone = {'train_dataloader.sampler': dict(sampler, fraction=1.0)}
methods = {
    '_delete_': True,
    'cnn': dict(config='../cnn_cfcnnet_{data}.py', without=['masks']),
    'cfcn_c': dict(config=cfcn_c, without=['masks']),  # all masks
    'few': cfcn_c,
    # the mean is over the guided images of a batch
    'few_guided': dict(config=cfcn_c, options=guided),
    # half of the draws are guided images
    'few_half': dict(config=cfcn_c, options=half),
    'few_half_guided': dict(config=cfcn_c, options={**half, **guided}),
    # all draws are guided images
    'few_alone': dict(config=cfcn_c, options=alone),
}
axes = dict(masks=['10%'])
del cfcn_c, guided, sampler, half, alone
