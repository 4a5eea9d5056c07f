from resnest.torch import resnest50
from seeded import images

get_pytorch_model, get_example_input = images(resnest50)
