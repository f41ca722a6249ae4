# The page docs/results/pets.md: three breeds at 112 px, fine-tuned plainly and guided.
config = '../cfcn_efficientnet-lite0_{data}.py'
swap = dict(type='BackgroundSwap', prob=1.0, border=1.0)  # trimaps are outlines
half = dict(swap, prob=0.5)
size, resized = 112, 128
methods = dict(
    plain=dict(
        config=config, options={'model.guidance': None, 'model.train_cfg': None}
    ),
    cfcn=dict(config=config, options={'model.train_cfg': None}),
    swap=dict(
        config=config,
        options={'model.guidance': None, 'model.train_cfg.augments': swap},
    ),
    swap_cfcn=dict(config=config, options={'model.train_cfg.augments': swap}),
    half_swap_cfcn=dict(config=config, options={'model.train_cfg.augments': half}),
)
baseline = 'plain'
axes = dict(data=['pets-3'], seed=[0, 1, 2])
options = {
    'model.backbone.img_size': size,
    'train_dataloader.dataset.pipeline.2.transform.scale': size,
    'test_dataloader.dataset.pipeline.2.transform.scale': resized,
    'test_dataloader.dataset.pipeline.3.transform.crop_size': size,
    'train_dataloader.num_workers': 2,
    'test_dataloader.num_workers': 2,
    # the set has no validation images
    'val_dataloader': None,
    'val_cfg': None,
    'val_evaluator': None,
    'test_cfg': dict(type='ModelAwareTestLoop'),
    'test_evaluator': [
        dict(type='Accuracy', topk=1),
        dict(type='FocusMetric'),
        dict(type='BackgroundSwapMetric', border=1.0),
        dict(type='ExplanationFocus', method='input_x_gradient'),
    ],
}
metrics = {
    'accuracy, %': 'accuracy/top1',
    "on another class's background, %": 'swap/other_class',
    'gap, points': 'swap/gap',
    'answers that change, %': 'swap/changed',
    'on grey, %': 'swap/no_background',
    'without the animal, %': 'swap/no_object',
    'energy inside, %': ('focus/energy', 100),
    'input x gradient: energy inside, %': ('input_x_gradient/energy', 100),
}
del config, swap, half, size, resized
