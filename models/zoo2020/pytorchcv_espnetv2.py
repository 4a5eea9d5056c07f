from pytorchcv.model_provider import get_model
from seeded import images

get_pytorch_model, get_example_input = images(lambda: get_model("espnetv2_w1"), size=224)
