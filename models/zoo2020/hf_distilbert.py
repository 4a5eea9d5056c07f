from seeded import seeded, tokens
from transformers import DistilBertConfig, DistilBertModel

config = DistilBertConfig(
    dim=64,
    n_layers=2,
    n_heads=2,
    hidden_dim=128,
    vocab_size=500,
)
get_pytorch_model, get_example_input = seeded(lambda: DistilBertModel(config), tokens(500, 1, 16))
