from seeded import seeded, tokens
from torchfm.model.fm import FactorizationMachineModel

FIELDS = [20, 20, 20, 20]
get_pytorch_model, get_example_input = seeded(lambda: FactorizationMachineModel(FIELDS, 16), tokens(20, 1, 4))
