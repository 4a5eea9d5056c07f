import torch
from facenet_pytorch.models.mtcnn import PNet
from seeded import seeded

get_pytorch_model, get_example_input = seeded(lambda: PNet(pretrained=False), torch.zeros(1, 3, 48, 48))
