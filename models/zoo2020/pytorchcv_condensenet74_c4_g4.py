from pytorchcv.model_provider import get_model
from seeded import images

get_pytorch_model, get_example_input = images(lambda: get_model("condensenet74_c4_g4"), size=224)
