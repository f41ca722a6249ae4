# The baseline with class weights: 77 % of the training images are landbirds.
_base_ = './cnn_efficientnet-lite0_waterbirds.py'
# images / (classes * images of the class)
model = dict(head=dict(loss=dict(type='CrossEntropyLoss', class_weight=[0.65, 2.18])))
