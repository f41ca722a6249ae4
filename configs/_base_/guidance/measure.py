# The baseline: no guidance, but the focus on the test split is measured.
#
#     python tools/test.py mmpretrain::resnet/resnet18_8xb32_in1k.py CHECKPOINT \
#         --guide configs/_base_/guidance/measure.py
masks = dict(
    test=dict(
        type='LoadActivationMask',
        missing='unguided',
        source=dict(
            type='PNGMasks', data_root='data/imagenet', images='val', masks='masks'
        ),
    )
)
guidance = None
splits = ('test',)
