from seeded import images
from super_image import CarnConfig, CarnModel

get_pytorch_model, get_example_input = images(lambda: CarnModel(CarnConfig(scale=2)), size=32)
