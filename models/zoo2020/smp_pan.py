import segmentation_models_pytorch as smp
from seeded import images

get_pytorch_model, get_example_input = images(lambda: smp.PAN("resnet18", encoder_weights=None), size=128)
