import timm
from seeded import images

get_pytorch_model, get_example_input = images(lambda: timm.create_model("cspdarknet53"))
