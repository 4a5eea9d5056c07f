from seeded import seeded, tokens
from transformers import OpenAIGPTConfig, OpenAIGPTModel

config = OpenAIGPTConfig(
    n_embd=64,
    n_layer=2,
    n_head=2,
    vocab_size=500,
)
get_pytorch_model, get_example_input = seeded(lambda: OpenAIGPTModel(config), tokens(500, 1, 16))
