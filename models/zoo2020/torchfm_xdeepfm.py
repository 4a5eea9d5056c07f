from seeded import seeded, tokens
from torchfm.model.xdfm import ExtremeDeepFactorizationMachineModel

FIELDS = [20, 20, 20, 20]
get_pytorch_model, get_example_input = seeded(
    lambda: ExtremeDeepFactorizationMachineModel(FIELDS, 16, (32, 32), 0.1, (8, 8)), tokens(20, 1, 4)
)
