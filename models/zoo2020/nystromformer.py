import torch
from nystrom_attention import Nystromformer
from seeded import seeded, tokens

get_pytorch_model, get_example_input = seeded(
    lambda: torch.nn.Sequential(
        torch.nn.Embedding(500, 64), Nystromformer(dim=64, depth=2, heads=4, dim_head=16, num_landmarks=16)
    ),
    tokens(500, 1, 64),
)
