# The page docs/results/tied-pets.md: the background swap by boxes, by GrabCut's outlines
# of the boxes, and by the true outlines, on photographs' own edges.
true_outlines = dict(
    _delete_=True,
    type='PNGMasks',
    data_root='{{$CFCN_DATA:data}}/tied-pets',
    masks='masks',
)
methods = dict(
    cnn='../cnn_*_{data}.py',
    box_swap='../swap_*_{data}.py',
    grabcut_swap='../outline-swap_*_{data}.py',
    true_swap=dict(
        config='../swap_*_{data}.py',
        options={'train_dataloader.dataset.pipeline.1.source': true_outlines},
    ),
)
baseline = 'cnn'
axes = dict(data=['tied-pets'], seed=[0, 1, 2])
metrics = {
    'mean of groups, %': 'group/mean',
    'worst group, %': 'group/worst',
}
del true_outlines
