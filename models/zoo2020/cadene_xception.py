import pretrainedmodels
from seeded import images

get_pytorch_model, get_example_input = images(lambda: pretrainedmodels.__dict__["xception"](pretrained=None), size=96)
