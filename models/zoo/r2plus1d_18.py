from calibrated import video

get_pytorch_model, get_example_input = video("r2plus1d_18")
