from seeded import seeded, tokens
from transformers import T5Config, T5Model

config = T5Config(d_model=64, num_layers=2, num_heads=2, d_kv=32, d_ff=128, vocab_size=500)
get_pytorch_model, get_example_input = seeded(lambda: T5Model(config).encoder, tokens(500, 1, 16))
