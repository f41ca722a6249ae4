# ImageNet guided by a folder of masks: the mask of data/imagenet/train/n01440764/1.JPEG
# is data/imagenet/masks/n01440764/1.png. Images without a mask are unguided.
# The data root is the stock config's own. The paper's loss on the last map: on a
# pretrained network `recipe = 'pretrained'` works, and this loss does not
# (docs/choosing.md).
#
#     python tools/train.py mmpretrain::resnet/resnet18_8xb32_in1k.py \
#         --guide configs/_base_/guidance/imagenet_png.py
masks = dict(
    train=dict(
        type='LoadActivationMask',
        missing='unguided',
        source=dict(
            type='PNGMasks', data_root='data/imagenet', images='train', masks='masks'
        ),
    )
)
guidance = dict(type='CausalFocusLoss', loss_weight=1.0)
