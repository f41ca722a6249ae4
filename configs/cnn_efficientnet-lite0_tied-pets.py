# The baseline.
_base_ = './cfcn_efficientnet-lite0_tied-pets.py'
model = dict(guidance=None)
