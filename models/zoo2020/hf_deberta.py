from seeded import seeded, tokens
from transformers import DebertaConfig, DebertaModel

config = DebertaConfig(
    hidden_size=64,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=128,
    vocab_size=500,
    relative_attention=True,
    pos_att_type="c2p|p2c",
    max_relative_positions=16,
)
get_pytorch_model, get_example_input = seeded(lambda: DebertaModel(config), tokens(500, 1, 16))
