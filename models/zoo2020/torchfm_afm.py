from seeded import seeded, tokens
from torchfm.model.afm import AttentionalFactorizationMachineModel

FIELDS = [20, 20, 20, 20]
get_pytorch_model, get_example_input = seeded(
    lambda: AttentionalFactorizationMachineModel(FIELDS, 16, 16, (0.1, 0.1)), tokens(20, 1, 4)
)
