# Which images a person should mask: by chance, by coverage or by context. Each seed has
# lists of its own; docs/masks.md has the commands that make them.
_base_ = './waterbirds_recipe.py'
config = '../swap-pretrained_efficientnet-lite0_{data}.py'
image_list = 'train_dataloader.dataset.pipeline.1.image_list'
methods = dict(_delete_=True)
for by in ('random', 'coverage', 'context'):
    methods[by] = dict(
        config=config,
        options={image_list: f'work_dirs/choice/{by}_{{boxes}}_{{seed}}.txt'},
    )
baseline = 'random'
axes = dict(
    _delete_=True, data=['waterbirds'], boxes={'60': {}, '240': {}}, seed=[0, 1, 2]
)
del config, image_list, by
