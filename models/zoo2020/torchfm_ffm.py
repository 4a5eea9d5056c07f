from seeded import seeded, tokens
from torchfm.model.ffm import FieldAwareFactorizationMachineModel

FIELDS = [20, 20, 20, 20]
get_pytorch_model, get_example_input = seeded(lambda: FieldAwareFactorizationMachineModel(FIELDS, 16), tokens(20, 1, 4))
