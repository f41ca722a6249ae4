# The baseline.
_base_ = './cfcn-c_cfcnnet_1xb64-10e_mnist.py'
model = dict(guidance=None)
