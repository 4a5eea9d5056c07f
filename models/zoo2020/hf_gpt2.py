from seeded import seeded, tokens
from transformers import GPT2Config, GPT2Model

config = GPT2Config(
    n_embd=64,
    n_layer=2,
    n_head=2,
    vocab_size=500,
    use_cache=False,
)
get_pytorch_model, get_example_input = seeded(lambda: GPT2Model(config), tokens(500, 1, 16))
