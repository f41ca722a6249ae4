# The L1 loss on Grad-CAM (GRADIA; Rao et al. 2023).
_base_ = './cfcn_efficientnet-lite0_waterbirds.py'
model = dict(guidance=dict(_delete_=True, type='ExplanationLoss', metric='l1'))
