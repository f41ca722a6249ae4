# The plain twin with class weights: 77 % of the training pictures are landbirds.
_base_ = './cnn_efficientnet-lite0_waterbirds.py'
# pictures / (classes * pictures of the class)
model = dict(head=dict(loss=dict(type='CrossEntropyLoss', class_weight=[0.65, 2.18])))
