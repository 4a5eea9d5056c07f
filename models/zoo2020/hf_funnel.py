from seeded import seeded, tokens
from transformers import FunnelConfig, FunnelModel

config = FunnelConfig(
    d_model=64,
    n_head=2,
    d_head=32,
    d_inner=128,
    block_sizes=[1, 1, 1],
    vocab_size=500,
)
get_pytorch_model, get_example_input = seeded(lambda: FunnelModel(config), tokens(500, 1, 16))
