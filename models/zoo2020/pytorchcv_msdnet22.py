from pytorchcv.model_provider import get_model
from seeded import images

get_pytorch_model, get_example_input = images(lambda: get_model("msdnet22"), size=224)
