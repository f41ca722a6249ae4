# The table at 224 pixels in docs/results/waterbirds.md: all runs are trained at 224 and
# tested at 288 pixels.
_base_ = './waterbirds_recipe.py'
recipe = '../swap-pretrained-224px_efficientnet-lite0_{data}.py'
crop, size = 'dataset.pipeline.2.transform.scale', (288, 288)
sizes = {
    f'train_dataloader.{crop}': 224,
    f'val_dataloader.{crop}': size,
    f'test_dataloader.{crop}': size,
}
four = {'train_cfg.max_epochs': 4}
methods = dict(
    _delete_=True,
    cnn=dict(
        config='../cnn_efficientnet-lite0_{data}.py', without=['masks'], options=sizes
    ),
    swap_balanced=dict(
        config='../swap-balanced_efficientnet-lite0_{data}.py',
        axis_values=dict(masks=['100%']),
        options=sizes,
    ),
    recipe=recipe,
    four_epochs=dict(config=recipe, options=four),
)
baseline = 'cnn'
options = {
    'test_dataloader.batch_size': 25,  # gradients of 288 pixels: 4 GB
    'test_evaluator': [
        dict(type='GroupAccuracy'),
        dict(type='ExplanationFocus', method='input_x_gradient'),
    ],
}
metrics = {
    'input x gradient: energy inside, %': ('input_x_gradient/energy', 100),
}
del recipe, crop, size, sizes, four
