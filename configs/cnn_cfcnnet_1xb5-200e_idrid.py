# The baseline.
_base_ = './cfcn-c_cfcnnet_1xb5-200e_idrid.py'
model = dict(guidance=None)
