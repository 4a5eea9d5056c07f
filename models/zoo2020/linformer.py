import torch
from linformer import Linformer
from seeded import seeded

get_pytorch_model, get_example_input = seeded(
    lambda: Linformer(dim=64, seq_len=64, depth=2, heads=4, k=16), torch.zeros(1, 64, 64)
)
