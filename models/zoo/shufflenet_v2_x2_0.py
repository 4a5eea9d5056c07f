from calibrated import classifier

get_pytorch_model, get_example_input = classifier("shufflenet_v2_x2_0")
