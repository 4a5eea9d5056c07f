from seeded import seeded, tokens
from transformers import XLMConfig, XLMModel

config = XLMConfig(
    emb_dim=64,
    n_layers=2,
    n_heads=2,
    vocab_size=500,
)
get_pytorch_model, get_example_input = seeded(lambda: XLMModel(config), tokens(500, 1, 16))
