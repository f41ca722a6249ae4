# The baseline.
_base_ = './cfcn_efficientnet-lite0_waterbirds.py'
model = dict(guidance=None)
