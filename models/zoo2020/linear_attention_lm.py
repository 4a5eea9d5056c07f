from linear_attention_transformer import LinearAttentionTransformerLM
from seeded import seeded, tokens

get_pytorch_model, get_example_input = seeded(
    lambda: LinearAttentionTransformerLM(
        num_tokens=500, dim=64, heads=4, depth=2, max_seq_len=64, n_local_attn_heads=2, local_attn_window_size=16
    ),
    tokens(500, 1, 64),
)
