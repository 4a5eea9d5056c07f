from seeded import images
from super_image import PanConfig, PanModel

get_pytorch_model, get_example_input = images(lambda: PanModel(PanConfig(scale=2)), size=32)
