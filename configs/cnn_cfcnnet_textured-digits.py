# The baseline: the same network, data and schedule, without guidance.
_base_ = './cfcn-c_cfcnnet_textured-digits.py'
model = dict(guidance=None)
