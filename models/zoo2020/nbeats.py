import torch
from nbeats_pytorch.model import NBeatsNet
from seeded import seeded

get_pytorch_model, get_example_input = seeded(
    lambda: NBeatsNet(device=torch.device("cpu"), forecast_length=5, backcast_length=20, hidden_layer_units=64),
    torch.zeros(4, 20),
)
