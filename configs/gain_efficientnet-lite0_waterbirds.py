# GAIN_ext (Li et al. 2018), the paper's baseline.
_base_ = './cfcn_efficientnet-lite0_waterbirds.py'
model = dict(guidance=dict(_delete_=True, type='GAINLoss'))
