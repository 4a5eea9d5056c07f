import pretrainedmodels
from seeded import images

get_pytorch_model, get_example_input = images(
    lambda: pretrainedmodels.__dict__["inceptionresnetv2"](pretrained=None), size=299
)
