"""A very small configuration of the same architecture: for tests, and for the committed model of the tracker's tests."""

from python.exporters.samurai import checkpoint

TRUNK = {"hidden_size": 16, "num_attention_heads": 1, "blocks_per_stage": [1, 1, 2, 1], "embed_dim_per_stage": [16, 32, 64, 80],
         "num_attention_heads_per_stage": [1, 2, 2, 2], "window_size_per_stage": [8, 4, 6, 4], "global_attention_blocks": [3],
         "mlp_ratio": 2.0}
IMAGE_SIZE = 64


def configuration():
    # The package fixes the memory's 64 channels.
    config = checkpoint.assemble(TRUNK, IMAGE_SIZE, hidden=64, memory=64, heads=4, mlp=32)
    config.memory_attention_num_layers = 1
    config.memory_fuser_num_layers = 1
    config.memory_fuser_intermediate_dim = 32
    return config


def model(seed: int = 3):
    result = checkpoint.seeded(configuration(), seed)
    # So that the golden's object, while it is hidden, is lost on two frames and only doubted on two (a score between -1 and 0).
    head = result.mask_decoder.pred_obj_score_head.proj_out
    head.weight.data *= 10
    head.bias.data.fill_(1.55)
    # So that some boxes' single mask is sure of its edge and some, the golden's among them, falls back on the best of the others.
    single = result.mask_decoder.output_hypernetworks_mlps[0].proj_out
    single.weight.data *= 3
    single.bias.data *= 3
    return result
