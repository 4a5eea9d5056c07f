from efficientnet_pytorch import EfficientNet
from seeded import images

get_pytorch_model, get_example_input = images(lambda: EfficientNet.from_name("efficientnet-b0"))
