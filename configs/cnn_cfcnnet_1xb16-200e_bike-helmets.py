# The baseline.
_base_ = './cfcn-c_cfcnnet_1xb16-200e_bike-helmets.py'
model = dict(guidance=None)
