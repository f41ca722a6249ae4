# Figure 7 of the paper: how much guidance? Beyond some alpha activations shrink.
_base_ = './textured_digits.py'
systems = dict(cnn=dict(without=['alpha']))
axes = dict(alpha=[0.1, 0.3, 1.0, 3.0, 10.0])
options = {'train_cfg.val_interval': 1}  # for the curves of figure 6
