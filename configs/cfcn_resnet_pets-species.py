# Oxford-IIIT Pets, the 2 species.
_base_ = './cfcn_resnet_pets.py'

model = dict(data_preprocessor=dict(num_classes=2), head=dict(num_classes=2))
train_dataloader = dict(dataset=dict(type='PetsSpecies'))
val_dataloader = dict(dataset=dict(type='PetsSpecies'))
test_dataloader = dict(dataset=dict(type='PetsSpecies'))
