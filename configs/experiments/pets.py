# The page docs/results/pets.md: three breeds, fine-tuned plainly and guided.
config = '../cfcn_efficientnet-lite0_{data}.py'
plain = {'model.guidance': None, 'model.train_cfg.augments.prob': 0.0}
methods = dict(
    plain=dict(config=config, options=plain),
    cfcn=dict(config=config, options={'model.train_cfg.augments.prob': 0.0}),
    swap=dict(
        config=config,
        options={'model.guidance': None, 'model.train_cfg.augments.prob': 1.0}),
    swap_cfcn=dict(config=config, options={'model.train_cfg.augments.prob': 1.0}),
    half_swap_cfcn=config)
baseline = 'plain'
axes = dict(data=['pets-3'], seed=[0, 1, 2])
options = {
    'test_cfg': dict(type='ModelAwareTestLoop'),
    'test_evaluator': [
        dict(type='Accuracy', topk=1),
        dict(type='FocusMetric'),
        dict(type='BackgroundSwapMetric', border=1.5),
        dict(type='ExplanationFocus', method='input_x_gradient'),
    ],
}
metrics = {
    'accuracy, %': 'accuracy/top1',
    "on another class's background, %": 'swap/other_class',
    'on grey, %': 'swap/no_background',
    'without the animal, %': 'swap/no_object',
    'energy inside, %': ('focus/energy', 100),
    'input x gradient: energy inside, %': ('input_x_gradient/energy', 100),
}
del config, plain
