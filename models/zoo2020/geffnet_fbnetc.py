import geffnet
from seeded import images

get_pytorch_model, get_example_input = images(lambda: geffnet.create_model("fbnetc_100"))
