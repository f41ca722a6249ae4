# The same activations with and without the context (Viviano et al. 2021).
_base_ = './cfcn_efficientnet-lite0_waterbirds.py'
model = dict(guidance=dict(_delete_=True, type='ActDiffLoss'))
