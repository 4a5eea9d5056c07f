from seeded import images
from super_image import A2nConfig, A2nModel

get_pytorch_model, get_example_input = images(lambda: A2nModel(A2nConfig(scale=2)), size=32)
