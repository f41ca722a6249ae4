# The input-gradient penalty (Ross et al. 2017), at about the size of the class loss.
_base_ = './cfcn_efficientnet-lite0_waterbirds.py'
model = dict(guidance=dict(_delete_=True, type='RightReasonsLoss', loss_weight=1.0))
