from seeded import images
from timm.models.vision_transformer import VisionTransformer

get_pytorch_model, get_example_input = images(
    lambda: VisionTransformer(img_size=64, patch_size=16, embed_dim=96, depth=3, num_heads=3)
)
