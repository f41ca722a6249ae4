# How the paper's networks are trained. Table 4 gives learning rate and epochs, which
# stand in each config. The paper says neither the optimiser nor a schedule: Adam at a
# constant rate is our choice. Nor does it say a validation split: none of the public
# splits has one here, so val and test are the same images. Report the last epoch;
# the best one would be chosen on the test.
optim_wrapper = dict(optimizer=dict(type='Adam'))
train_cfg = dict(by_epoch=True, val_interval=1)
val_cfg = dict()
test_cfg = dict()
