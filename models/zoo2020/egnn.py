import torch
from egnn_pytorch import EGNN
from seeded import seeded

get_pytorch_model, get_example_input = seeded(lambda: EGNN(dim=16), torch.zeros(1, 12, 16), torch.zeros(1, 12, 3))
