from performer_pytorch import PerformerLM
from seeded import seeded, tokens

get_pytorch_model, get_example_input = seeded(
    lambda: PerformerLM(num_tokens=500, dim=64, depth=2, heads=4, max_seq_len=64, nb_features=32), tokens(500, 1, 64)
)
