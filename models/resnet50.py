"""torchvision's ResNet-50 with random weights: its pretrained ones are a download. `make bench` compares its speed."""

import torch
import torchvision


def get_pytorch_model():
    model = torchvision.models.resnet50(pretrained=False)
    # Batch norms that have never seen an image would let the activations grow from block to block; the statistics of
    # a few random ones keep them of the order of 1, as a trained network's are.
    for layer in model.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = 1.0
    with torch.no_grad():
        model.train()(torch.randn(4, 3, 224, 224))
    return model.eval()


def get_example_input():
    return torch.zeros(1, 3, 224, 224)
