from pytorchcv.model_provider import get_model
from seeded import images

get_pytorch_model, get_example_input = images(
    lambda: get_model("icnet_resnetd50b_cityscapes", in_size=(192, 192)), size=192
)
