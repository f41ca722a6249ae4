# The energy loss on Grad-CAM (Rao et al. 2023).
_base_ = './cfcn_efficientnet-lite0_waterbirds.py'
model = dict(guidance=dict(_delete_=True, type='ExplanationLoss', metric='energy'))
