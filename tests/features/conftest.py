"""A network that no layout is known of."""

import pytest
import torch
from torch import nn


@pytest.fixture
def net():
    """Two maps of known names; no layout is known for it."""

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.early = nn.Conv2d(3, 4, 3, stride=2, padding=1)
            self.late = nn.Conv2d(4, 5, 3, stride=2, padding=1)
            self.unused = nn.Conv2d(4, 5, 1)
            self.fc = nn.Linear(5, 2)

        def forward(self, x):
            return self.fc(self.late(self.early(x).relu()).mean((2, 3)))

    torch.manual_seed(0)
    return Net()
