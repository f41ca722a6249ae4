# CUB-200-2011 guided by boxes in a CSV file with one line for each image (docs/data.md
# has such a file), by the recipe for pretrained networks: birds on other backgrounds,
# by outlines that are made of the boxes. Focus is measured on the test split too.
#
#     python tools/train.py mmpretrain::resnet/resnet50_8xb8_cub.py \
#         --guide configs/_base_/guidance/cub_boxes.py
masks = dict(type='BoxMasks', data_root='data/CUB_200_2011', ann_file='boxes.csv')
recipe = 'pretrained'
