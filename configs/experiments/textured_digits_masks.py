# Figure 8 of the paper: training pictures against masks.
_base_ = './textured_digits.py'
systems = dict(cnn=dict(without=['masks']))
axes = dict(size=[60, 120, 240, 360], masks=['3%', '10%', '15%', '100%'])
