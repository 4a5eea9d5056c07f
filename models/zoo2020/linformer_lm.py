from linformer import LinformerLM
from seeded import seeded, tokens

get_pytorch_model, get_example_input = seeded(
    lambda: LinformerLM(num_tokens=500, dim=64, seq_len=64, depth=2, heads=4, k=16), tokens(500, 1, 64)
)
