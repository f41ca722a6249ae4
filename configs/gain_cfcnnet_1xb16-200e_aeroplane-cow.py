# GAIN_ext (Li et al. 2018), the paper's baseline, on the same network.
_base_ = './cfcn-c_cfcnnet_1xb16-200e_aeroplane-cow.py'
model = dict(guidance=dict(_delete_=True, type='GAINLoss'))
