"""Models of packages with seeded weights, and batch norms whose statistics are those of what passes through them."""

import torch
from torch import nn

# Enough for statistics that keep the activations near N(0, 1), and no model here minds the batch.
BATCH = 2


def seeded(make, *example):
    """The model file's two functions for the model that ``make()`` builds, called with the tensors ``example``."""

    def get_pytorch_model():
        torch.manual_seed(0)
        model = make().eval()
        _calibrate(model, example)
        return model.eval()

    return get_pytorch_model, lambda: example[0] if len(example) == 1 else example


def images(make, size=64, channels=3):
    """The same for a model that is called with one image of ``size`` by ``size``."""
    return seeded(make, torch.zeros(1, channels, size, size))


def tokens(vocabulary, *shape):
    """Token numbers that span the whole vocabulary, from which ``verify`` draws its own."""
    found = torch.arange(shape[0] * shape[-1]).reshape(shape) % vocabulary
    found.view(-1)[-1] = vocabulary - 1
    return found


def _calibrate(model, example):
    norms = [part for part in model.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        if norm.track_running_stats:
            # No momentum: the mean over all that was seen.
            norm.momentum = None
            norm.reset_running_stats()
            norm.train()
    if norms:
        with torch.no_grad():
            model(*(_batch(tensor) for tensor in example))


def _batch(tensor):
    repeated = tensor.repeat(BATCH, *[1] * (tensor.dim() - 1))
    return torch.randn_like(repeated) if tensor.is_floating_point() else repeated
