import pretrainedmodels
from seeded import images

get_pytorch_model, get_example_input = images(
    lambda: pretrainedmodels.__dict__["se_resnext50_32x4d"](pretrained=None), size=224
)
