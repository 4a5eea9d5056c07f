import torch
from pytorch_tabnet.tab_network import TabNet
from seeded import seeded

get_pytorch_model, get_example_input = seeded(lambda: TabNet(16, 4), torch.zeros(4, 16))
