from seeded import seeded, tokens
from torchfm.model.nfm import NeuralFactorizationMachineModel

FIELDS = [20, 20, 20, 20]
get_pytorch_model, get_example_input = seeded(
    lambda: NeuralFactorizationMachineModel(FIELDS, 16, (32,), (0.1, 0.1)), tokens(20, 1, 4)
)
