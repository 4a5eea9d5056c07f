from seeded import images
from super_image import MsrnConfig, MsrnModel

get_pytorch_model, get_example_input = images(lambda: MsrnModel(MsrnConfig(scale=2)), size=32)
