# The plain twin.
_base_ = './cfcn-c_cfcnnet_1xb32-150e_brain-mri.py'
model = dict(guidance=None)
