from calibrated import classifier

get_pytorch_model, get_example_input = classifier("mnasnet1_0")
