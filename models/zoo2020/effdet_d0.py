from effdet import EfficientDet, get_efficientdet_config
from seeded import images


def make():
    config = get_efficientdet_config("tf_efficientdet_d0")
    config.image_size = 128
    return EfficientDet(config, pretrained_backbone=False)


get_pytorch_model, get_example_input = images(make, size=128)
