# CFCN-F: 16 maps (appendix C), flattened into a linear layer, guided by Eq. 1.
_base_ = './cfcn-c_cfcnnet_1xb16-200e_bike-helmets.py'

model = dict(
    head=dict(mode='feature', num_maps=16, input_size=24), guidance=dict(channels='all')
)
