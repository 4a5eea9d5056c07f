from seeded import seeded, tokens
from sinkhorn_transformer import SinkhornTransformerLM

get_pytorch_model, get_example_input = seeded(
    lambda: SinkhornTransformerLM(num_tokens=500, dim=64, heads=4, depth=2, max_seq_len=64, bucket_size=16),
    tokens(500, 1, 64),
)
