"""A plain training in which the context tells the class, as well as the object."""

import torch

from cfcn_plugin.features import FeatureHook
from cfcn_plugin.guidance import Guidance, Guide, MaskBatch

AFTER = 60  # steps of the class loss alone


def train_by_context(method: Guidance, key: str, steps: int, is_alike: bool) -> list:
    """A method's term ``key`` before each step; all images are classified at the end.

    Args:
        method: Guides from step ``AFTER`` on.
        key: Its loss is ``loss_<key>``.
        steps: Number of steps.
        is_alike: Whether the objects of a class are alike, without noise.
    """
    torch.manual_seed(0)
    labels = torch.tensor([0, 1] * 4)
    images = torch.rand(8, 3, 8, 8)
    images[:, 0] += 4.0 * labels.view(8, 1, 1)  # everywhere
    mask = torch.zeros(8, 1, 8, 8, dtype=torch.uint8)
    mask[..., 2:6, 2:6] = 1
    if is_alike:
        images[..., 2:6, 2:6] = 4.0 * labels.view(8, 1, 1, 1)
    masks = MaskBatch(mask, None, torch.ones(8, dtype=torch.bool))
    net = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(4),
        torch.nn.Flatten(),
        torch.nn.Linear(128, 2),
    )
    guide = Guide(net, method, FeatureHook('1'))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.02)
    found = []
    for step in range(steps):
        with guide:
            logits = net(images)
        terms = guide.terms(images, logits, labels, masks)
        loss = torch.nn.functional.cross_entropy(logits, labels)
        (loss + (step >= AFTER) * terms[f'loss_{key}']).backward()
        optimizer.step()
        optimizer.zero_grad()
        found.append(terms[key].item())
    assert (logits.argmax(1) == labels).all()
    return found
