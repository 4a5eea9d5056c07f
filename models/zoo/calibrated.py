"""torchvision's models with seeded weights, and batch norms whose statistics are those of what passes through them.

With the statistics that a batch norm starts with, the activations of a deep network grow or vanish, and its outputs say
nothing of how well it was converted.
"""

import torch
import torchvision
from torch import nn

CLASSIFIER_INPUT = (1, 3, 224, 224)
# Seconds of work on two cores, and enough for statistics that keep the activations near N(0, 1).
BATCH = 2


def calibrated(make, shape):
    """The model file's two functions for the model that ``make()`` builds, called with tensors of ``shape``."""

    def get_pytorch_model():
        torch.manual_seed(0)
        model = make().eval()
        norms = [part for part in model.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
        for norm in norms:
            # No momentum: the mean over all that was seen.
            norm.momentum = None
            norm.reset_running_stats()
            norm.train()
        if norms:
            with torch.no_grad():
                model(torch.randn(BATCH, *shape[1:]))
        return model.eval()

    return get_pytorch_model, lambda: torch.zeros(*shape)


def classifier(name, size=CLASSIFIER_INPUT[-1], **options):
    """One of ``torchvision.models``, for images of ``size``."""
    make = getattr(torchvision.models, name)
    return calibrated(lambda: make(pretrained=False, **options), (1, 3, size, size))


def segmentation(name, size=CLASSIFIER_INPUT[-1]):
    """One of ``torchvision.models.segmentation``; of its dictionary of outputs the one named ``out``."""
    make = getattr(torchvision.models.segmentation, name)
    return calibrated(lambda: Out(make(pretrained=False, pretrained_backbone=False)), (1, 3, size, size))


def video(name):
    """One of ``torchvision.models.video``, for 8 frames of 112 by 112."""
    make = getattr(torchvision.models.video, name)
    return calibrated(lambda: make(pretrained=False), (1, 3, 8, 112, 112))


class Out(nn.Module):
    """A segmentation model that returns its main output alone."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model(x)["out"]
