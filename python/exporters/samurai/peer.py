"""Sam2VideoModel itself, component by component: what every graph is compared with."""

import torch
from torch.nn import functional

from python.exporters.samurai import graphs


def sample_image(size: int, seed: int) -> torch.Tensor:
    """[1, 3, size, size] in [0, 1]: noise at four scales, so that there are surfaces and edges."""
    generator = torch.Generator().manual_seed(seed)
    image = torch.zeros(1, 3, size, size)
    for side in (4, 16, 64, size):
        noise = torch.rand(1, 3, side, side, generator=generator)
        image += functional.interpolate(noise, size=(size, size), mode="bilinear", align_corners=False)
    return image / 4


class Peer:
    """The package's own forward code, with the shapes of the graphs around it. All methods take and give tensors."""

    def __init__(self, model):
        self.model = model
        self.size = model.config.image_size
        self.side = self.size // 16
        self.channels = model.config.memory_attention_hidden_size
        self.memory_channels = model.config.memory_encoder_output_channels

    @torch.no_grad()
    def image_encoder(self, image):
        mean, deviation = (torch.tensor(v).view(1, 3, 1, 1) for v in (graphs.MEAN, graphs.DEVIATION))
        levels = self.model.get_image_features((image - mean) / deviation, return_dict=True).fpn_hidden_states
        maps = [level.permute(1, 2, 0).unflatten(-1, (self.size // stride, -1)) for level, stride in zip(levels, (4, 8, 16))]
        return maps[2].contiguous(), maps[0].contiguous(), maps[1].contiguous()

    @torch.no_grad()
    def decode(self, embeddings, high_res, points, labels, mask=None, several=True):
        """points [1, n, 2], labels [1, n] of real points only (a missing prompt has one point labelled -1, as in the package)."""
        return self.model._single_frame_forward(
            input_points=points[:, None], input_labels=labels[:, None].int(), input_masks=mask,
            image_embeddings=[*high_res, embeddings], multimask_output=several)

    @torch.no_grad()
    def prompts(self, points, labels, mask=None):
        sparse, dense = self.model.prompt_encoder(points[:, None], labels[:, None].int(), None, mask)
        return sparse[:, 0], dense

    @torch.no_grad()
    def memory_attention(self, embeddings, memories, pointers, distances, most_pointers=graphs.POINTERS):
        """memories [n, M, h, h] in slot order, pointers [p, C] and distances [p], all of them valid.

        @param most_pointers  that the video can have: distances count in units of them
        """
        model, count = self.model, memories.shape[0]
        flat = embeddings.flatten(2).permute(2, 0, 1)
        place = model.vision_encoder.neck.position_encoding((1, self.channels, self.side, self.side), "cpu", torch.float32)
        code = model.memory_encoder.position_encoding((1, self.memory_channels, self.side, self.side), "cpu", torch.float32)
        code = code.flatten(2).permute(2, 0, 1)
        parts = [{"maskmem_features": each[None].flatten(2).permute(2, 0, 1), "maskmem_pos_enc": code} for each in memories]
        # (frames back, output): the prompt's frame counts as 0.
        offsets = [0] + [count - row for row in range(1, count)]
        features, codes = model._build_memory_attention_inputs(list(zip(offsets, parts)), "cpu")
        tokens, token_codes = model._process_object_pointers(list(distances), [row[None] for row in pointers], most_pointers, 1,
                                                             self.channels, "cpu")
        found = model.memory_attention(
            current_vision_features=flat, current_vision_position_embeddings=place.flatten(2).permute(2, 0, 1),
            memory=torch.cat([*features, tokens]), memory_posision_embeddings=torch.cat([*codes, token_codes]),
            num_object_pointer_tokens=tokens.shape[0])
        return found.squeeze(1).transpose(1, 2).reshape(1, self.channels, self.side, self.side)

    @torch.no_grad()
    def memory_encoder(self, embeddings, mask, object_score, is_prompt: bool):
        """Before the package rounds to bfloat16."""
        large = functional.interpolate(mask, size=(self.size, self.size), mode="bilinear", align_corners=False)
        model, config = self.model, self.model.config
        large = (large > 0).float() if is_prompt else large.sigmoid()
        memory, _ = model.memory_encoder(embeddings, large * config.sigmoid_scale_for_mem_enc + config.sigmoid_bias_for_mem_enc)
        hidden = (object_score <= 0).float()[..., None, None] * model.occlusion_spatial_embedding_parameter[..., None, None]
        return memory + hidden


def samples(peer: Peer):
    """A function from a component's name to its cases: (inputs, expected outputs), NumPy by name."""
    held = {}

    def chain():
        if not held:
            generator = torch.Generator().manual_seed(11)
            side = peer.side
            held["image"] = sample_image(peer.size, 5)
            held["maps"] = peer.image_encoder(held["image"])
            held["memories"] = 0.5 * torch.randn(graphs.MEMORIES, peer.memory_channels, side, side, generator=generator)
            held["pointers"] = torch.randn(graphs.POINTERS, peer.channels, generator=generator)
            held["mask"] = 8 * (sample_image(peer.size // 4, 6)[:, :1] - 0.5)
            held["distances"] = torch.tensor([40.0, *range(1, graphs.POINTERS)])
        return held

    return lambda name: _CASES["memory_attention" if name.startswith("memory_attention") else name](peer, chain(), name)


def _numpy(**values):
    return {key: value.detach().numpy() for key, value in values.items()}


def _image_cases(peer, held, name):
    names = ("image_embeddings", "high_res_features1", "high_res_features2")
    yield _numpy(image=held["image"]), _numpy(**dict(zip(names, held["maps"])))


# Points and labels as the package takes them; ours are filled up to three.
_S = (0.2, 0.25, 0.7, 0.8)
PROMPTS = {
    "box": ([[_S[0], _S[1]], [_S[2], _S[3]]], [2, 3], True),
    "point": ([[0.45, 0.5]], [1], True),
    "two points": ([[0.45, 0.5], [0.1, 0.1]], [1, 0], True),
    "none": ([[0.0, 0.0]], [-1], True),
}


def _prompt(peer, key):
    points, labels, _ = PROMPTS[key]
    points, labels = torch.tensor([points]) * peer.size, torch.tensor([labels], dtype=torch.float32)
    filled = torch.zeros(1, graphs.PROMPT_POINTS, 2)
    kinds = torch.full((1, graphs.PROMPT_POINTS), graphs.ABSENT)
    count = points.shape[1]
    filled[:, :count], kinds[:, :count], kinds[:, count] = points, labels, -1.0
    return points, labels, filled, kinds


def _prompt_cases(peer, held, name):
    for key in PROMPTS:
        for has_mask in (0.0, 1.0):
            points, labels, filled, kinds = _prompt(peer, key)
            sparse, dense = peer.prompts(points, labels, held["mask"] if has_mask else None)
            expected = torch.zeros(1, graphs.PROMPT_POINTS, peer.channels)
            expected[:, :sparse.shape[1]] = sparse
            validity = (kinds > -5).float()
            yield (_numpy(points=filled, labels=kinds, mask=held["mask"], has_mask=torch.tensor([has_mask])),
                   _numpy(sparse_embedding=expected, sparse_validity=validity, dense_embedding=dense.contiguous()))


def _decoder_cases(peer, held, name):
    """Several candidates and one candidate; the package's choice among ours must be there."""
    embeddings, high1, high2 = held["maps"]
    for key in PROMPTS:
        points, labels, _, kinds = _prompt(peer, key)
        for no_memory in (1.0, 0.0):
            inner = embeddings + no_memory * peer.model.no_memory_embedding.detach().view(1, -1, 1, 1)
            sparse, dense = peer.prompts(points, labels)
            filled = torch.zeros(1, graphs.PROMPT_POINTS, peer.channels)
            filled[:, :sparse.shape[1]] = sparse
            feed = _numpy(embeddings=embeddings, no_memory=torch.tensor([no_memory]), high_res_features1=high1, high_res_features2=high2,
                          sparse_embedding=filled, sparse_validity=(kinds > -5).float(), dense_embedding=dense.contiguous())
            yield feed, decoded(peer, inner, (high1, high2), sparse, dense)


@torch.no_grad()
def decoded(peer, embeddings, high_res, sparse, dense):
    """All four tokens of the package's decoder, from its two ways of calling it."""
    model = peer.model
    code = model.get_image_wide_positional_embeddings()
    arguments = {"image_embeddings": embeddings, "image_positional_embeddings": code, "sparse_prompt_embeddings": sparse[:, None],
                 "dense_prompt_embeddings": dense, "high_resolution_features": list(high_res)}
    decoder = model.mask_decoder
    several, ious, tokens, score = decoder(multimask_output=True, **arguments)
    fallback, decoder.dynamic_multimask_via_stability = decoder.dynamic_multimask_via_stability, False
    single, single_iou, single_token, _ = decoder(multimask_output=False, **arguments)
    decoder.dynamic_multimask_via_stability = fallback
    stability = decoder._get_stability_scores(single)[:, 0]
    masks = torch.where(score[..., None, None] > graphs.OBJECT_SCORE_MIN, torch.cat([single, several], 2), graphs.NO_OBJECT)[:, 0]
    pointers = model.object_pointer_proj(torch.cat([single_token, tokens], 2))[:, 0]
    if not bool(score > graphs.OBJECT_SCORE_MIN):
        pointers = model.no_object_pointer.expand_as(pointers)
    return _numpy(masks=masks, ious=torch.cat([single_iou, ious], 2)[:, 0], object_pointers=pointers, object_score=score[:, 0],
                  stability=stability)


def _attention_cases(peer, held, name):
    masked = name.endswith("masked")
    for filled, valid in ((7, 16), (3, 2)) if masked else ((int(name.rsplit("_", 1)[1]), 16), (int(name.rsplit("_", 1)[1]), 1)):
        count = graphs.MEMORIES if masked else filled
        rows = [0] + list(range(count - filled + 1, count))
        expected = peer.memory_attention(held["maps"][0], held["memories"][rows], held["pointers"][:valid], held["distances"][:valid].tolist())
        validity = (torch.arange(graphs.POINTERS) < valid).float()
        feed = _numpy(image_embeddings=held["maps"][0], memories=held["memories"][:count], object_pointers=held["pointers"],
                      pointer_distances=held["distances"], pointer_validity=validity)
        if masked:
            feed["memory_validity"] = _numpy(v=torch.tensor([float(row in rows) for row in range(count)]))["v"]
        yield feed, _numpy(conditioned_embeddings=expected)


def _memory_cases(peer, held, name):
    for score in (2.0, -1.0):
        for is_prompt in (0.0, 1.0):
            expected = peer.memory_encoder(held["maps"][0], held["mask"], torch.tensor([[score]]), bool(is_prompt))
            yield (_numpy(image_embeddings=held["maps"][0], mask=held["mask"], object_score=torch.tensor([[score]]),
                          is_prompt=torch.tensor([is_prompt])), _numpy(memory=expected))


_CASES = {"image_encoder": _image_cases, "prompt_encoder": _prompt_cases, "mask_decoder": _decoder_cases,
          "memory_attention": _attention_cases, "memory_encoder": _memory_cases}
