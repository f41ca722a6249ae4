# GAIN_ext (Li et al. 2018), the paper's baseline, on the same network.
_base_ = './cfcn-c_cfcnnet_textured-digits.py'
model = dict(guidance=dict(_delete_=True, type='GAINLoss'))
