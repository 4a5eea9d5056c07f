from seeded import seeded, tokens
from transformers import LongformerConfig, LongformerModel

config = LongformerConfig(
    hidden_size=64,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=128,
    vocab_size=500,
    attention_window=8,
)
get_pytorch_model, get_example_input = seeded(lambda: LongformerModel(config), tokens(500, 1, 16))
