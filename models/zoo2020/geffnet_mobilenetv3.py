import geffnet
from seeded import images

get_pytorch_model, get_example_input = images(lambda: geffnet.create_model("mobilenetv3_large_100"))
