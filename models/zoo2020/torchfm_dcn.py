from seeded import seeded, tokens
from torchfm.model.dcn import DeepCrossNetworkModel

FIELDS = [20, 20, 20, 20]
get_pytorch_model, get_example_input = seeded(
    lambda: DeepCrossNetworkModel(FIELDS, 16, 2, (32, 32), 0.1), tokens(20, 1, 4)
)
