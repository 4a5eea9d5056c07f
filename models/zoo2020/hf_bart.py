from seeded import seeded, tokens
from transformers import BartConfig, BartModel

config = BartConfig(
    d_model=64,
    encoder_layers=2,
    decoder_layers=2,
    encoder_attention_heads=2,
    decoder_attention_heads=2,
    encoder_ffn_dim=128,
    decoder_ffn_dim=128,
    vocab_size=500,
    max_position_embeddings=64,
    use_cache=False,
)
get_pytorch_model, get_example_input = seeded(lambda: BartModel(config), tokens(500, 1, 16))
