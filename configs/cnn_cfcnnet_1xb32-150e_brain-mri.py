# The baseline.
_base_ = './cfcn-c_cfcnnet_1xb32-150e_brain-mri.py'
model = dict(guidance=None)
