# CFCN-F: a map a label here too (3 in Table 4), so Eq. 3 stays; height and width of the
# linear layer's map are the input's.
_base_ = './cfcn-c_cfcnnet_1xb5-200e_idrid.py'

model = dict(head=dict(mode='feature', num_maps=3, input_size=(175, 250)))
