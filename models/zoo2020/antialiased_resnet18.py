import antialiased_cnns
from seeded import images

get_pytorch_model, get_example_input = images(antialiased_cnns.resnet18)
