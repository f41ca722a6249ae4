# CFCN-F: one map for each label as in CFCN-C (3 in Table 4), so Eq. 3 stays; the linear
# layer's map has the input's height and width.
_base_ = './cfcn-c_cfcnnet_1xb5-200e_idrid.py'

model = dict(head=dict(mode='feature', num_maps=3, input_size=(175, 250)))
