from seeded import seeded, tokens
from transformers import CTRLConfig, CTRLModel

config = CTRLConfig(
    n_embd=64,
    n_layer=2,
    n_head=2,
    dff=128,
    vocab_size=500,
    use_cache=False,
)
get_pytorch_model, get_example_input = seeded(lambda: CTRLModel(config), tokens(500, 1, 16))
