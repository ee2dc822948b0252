"""A very small configuration of the same architecture: for tests, and for the committed model of the tracker's tests."""

from python.exporters.samurai import checkpoint

TRUNK = {"hidden_size": 16, "num_attention_heads": 1, "blocks_per_stage": [1, 1, 2, 1], "embed_dim_per_stage": [16, 32, 64, 80],
         "num_attention_heads_per_stage": [1, 2, 2, 2], "window_size_per_stage": [8, 4, 6, 4], "global_attention_blocks": [3],
         "mlp_ratio": 2.0}
IMAGE_SIZE = 128


def configuration():
    # The package fixes the memory's 64 channels.
    config = checkpoint.assemble(TRUNK, IMAGE_SIZE, hidden=64, memory=64, heads=4, mlp=64)
    config.memory_attention_num_layers = 1
    config.memory_fuser_num_layers = 1
    config.memory_fuser_intermediate_dim = 64
    return config


def model(seed: int = 3):
    return checkpoint.seeded(configuration(), seed)
