from calibrated import segmentation

get_pytorch_model, get_example_input = segmentation("deeplabv3_resnet101")
