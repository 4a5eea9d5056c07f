from reformer_pytorch import ReformerLM
from seeded import seeded, tokens

get_pytorch_model, get_example_input = seeded(
    lambda: ReformerLM(
        num_tokens=500, dim=64, depth=1, max_seq_len=64, heads=2, bucket_size=8, n_hashes=2, causal=True
    ),
    tokens(500, 1, 64),
)
