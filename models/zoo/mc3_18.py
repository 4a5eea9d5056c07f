from calibrated import video

get_pytorch_model, get_example_input = video("mc3_18")
