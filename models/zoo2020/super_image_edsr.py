from seeded import images
from super_image import EdsrConfig, EdsrModel

get_pytorch_model, get_example_input = images(lambda: EdsrModel(EdsrConfig(scale=2)), size=32)
