# The baseline.
_base_ = './cfcn-c_cfcnnet_1xb64-500e_pets-species.py'
model = dict(guidance=None)
