from seeded import seeded, tokens
from torchfm.model.afi import AutomaticFeatureInteractionModel

FIELDS = [20, 20, 20, 20]
get_pytorch_model, get_example_input = seeded(
    lambda: AutomaticFeatureInteractionModel(FIELDS, 16, 32, 2, 2, (32, 32), (0.1, 0.1, 0.1)), tokens(20, 1, 4)
)
