"""The library's Grad-CAM, before it makes an image of it."""
import numpy as np
from pytorch_grad_cam import GradCAM


class UnscaledGradCAM(GradCAM):
    """Of one layer, on its own grid, with its own scale: (B, h, w)."""

    def compute_cam_per_layer(self, input_tensor, targets, eigen_smooth):
        seen = self.activations_and_grads
        return self.get_cam_image(
            input_tensor, self.target_layers[0], targets, seen.activations[-1].numpy(),
            seen.gradients[-1].numpy(), eigen_smooth)

    def aggregate_multi_layers(self, cam_per_target_layer):
        return np.maximum(cam_per_target_layer, 0)
