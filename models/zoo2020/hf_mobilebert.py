from seeded import seeded, tokens
from transformers import MobileBertConfig, MobileBertModel

config = MobileBertConfig(
    num_hidden_layers=2,
    vocab_size=500,
)
get_pytorch_model, get_example_input = seeded(lambda: MobileBertModel(config), tokens(500, 1, 16))
