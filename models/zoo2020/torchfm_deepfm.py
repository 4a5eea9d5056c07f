from seeded import seeded, tokens
from torchfm.model.dfm import DeepFactorizationMachineModel

FIELDS = [20, 20, 20, 20]
get_pytorch_model, get_example_input = seeded(
    lambda: DeepFactorizationMachineModel(FIELDS, 16, (32, 32), 0.1), tokens(20, 1, 4)
)
