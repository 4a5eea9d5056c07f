from seeded import seeded, tokens
from transformers import XLNetConfig, XLNetModel

config = XLNetConfig(
    d_model=64,
    n_layer=2,
    n_head=2,
    d_inner=128,
    vocab_size=500,
)
get_pytorch_model, get_example_input = seeded(lambda: XLNetModel(config), tokens(500, 1, 16))
