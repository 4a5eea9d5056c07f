from facenet_pytorch import InceptionResnetV1
from seeded import images

get_pytorch_model, get_example_input = images(InceptionResnetV1, size=160)
