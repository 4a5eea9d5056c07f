from seeded import seeded, tokens
from x_transformers import Encoder, TransformerWrapper

get_pytorch_model, get_example_input = seeded(
    lambda: TransformerWrapper(num_tokens=500, max_seq_len=64, attn_layers=Encoder(dim=64, depth=2, heads=4)),
    tokens(500, 1, 64),
)
