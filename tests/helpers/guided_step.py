"""One guided training step of a timm model in a plain loop, on any device."""

import copy

import timm
import torch
import torch.nn.functional as F

from cfcn_plugin import Guide, MaskBatch
from cfcn_plugin.guidance import CausalFocusLoss

# model, pixels, images: what a CPU and a GPU do in well under a second
SIZES = {'cpu': ('test_resnet', 64, 4), 'cuda': ('resnet50', 224, 64)}


class GuidedStep:
    """A model with SGD, and always the same batch, half of it guided.

    Args:
        device: ``'cpu'`` or ``'cuda'``.
        method: A guidance method; None: the plain step.
        name: Of a timm model; None: by the device.
        memory_format: Of the model and its images.
    """

    def __init__(
        self,
        device,
        method=None,
        name=None,
        images=None,
        memory_format=torch.contiguous_format,
    ):
        usual, pixels, count = SIZES[device]
        count = images or count
        torch.manual_seed(0)
        torch.backends.cudnn.allow_tf32 = False  # two ways are compared to float32
        self.device = device
        self.model = (
            timm.create_model(name or usual, num_classes=4)
            .to(device, memory_format=memory_format)
            .train()
        )
        self.guide = Guide(self.model, method)
        self.run = self.model  # a compiled model runs in its place
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.01)
        generator = torch.Generator().manual_seed(1)
        self.images = torch.rand(count, 3, pixels, pixels, generator=generator).to(
            device, memory_format=memory_format
        )
        self.labels = (torch.arange(count) % 4).to(device)
        mask = torch.zeros(count, 1, pixels, pixels, dtype=torch.uint8)
        mask[..., pixels // 4 : pixels // 2, pixels // 4 :] = 1
        self.masks = MaskBatch(mask, None, torch.arange(count) % 2 == 0).to(device)
        self.start = copy.deepcopy(self.model.state_dict())

    def losses(self):
        """The class loss, and guidance's; 0 of a plain step."""
        images = self.guide.prepare(self.images)
        with self.guide:
            logits = self.run(images)
        guidance = (
            0.0
            if self.guide.method is None
            else self.guide.loss(images, logits, self.labels, self.masks)
        )
        return F.cross_entropy(logits.float(), self.labels), guidance

    def __call__(self):
        """A step; the sum of the losses, on the device."""
        self.optimizer.zero_grad()
        loss = sum(self.losses())
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def restart(self):
        """Back to the first weights, in the same memory."""
        with torch.no_grad():
            for name, value in self.model.state_dict().items():
                value.copy_(self.start[name])


def focus_step(device, **options):
    return GuidedStep(device, CausalFocusLoss(), **options)
