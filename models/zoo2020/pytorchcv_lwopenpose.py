from pytorchcv.model_provider import get_model
from seeded import images

get_pytorch_model, get_example_input = images(
    lambda: get_model("lwopenpose2d_mobilenet_cmupan_coco", in_size=(96, 96)), size=96
)
