# Training of the paper's networks. Learning rate and epochs (Table 4) are in each config.
# The paper gives no optimiser and no schedule: Adam at a constant rate is our choice.
# The paper gives no validation split and the public splits have none, so val and test
# are the same images. Report the last epoch; the best epoch would be chosen on the test
# images.
optim_wrapper = dict(optimizer=dict(type='Adam'))
train_cfg = dict(by_epoch=True, val_interval=1)
val_cfg = dict()
test_cfg = dict()
