from calibrated import classifier

get_pytorch_model, get_example_input = classifier("inception_v3", size=299, init_weights=False)
