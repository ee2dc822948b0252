"""The components of Sam2VideoModel as modules with fixed shapes, ready for tracing. Shapes: README.md in this folder."""

import torch
from torch import nn
from torch.nn import functional

from python.exporters.samurai import attention
from python.exporters.samurai.forms import MEMORIES

POINTERS = 16
PROMPT_POINTS = 8  # a box, five points, and the mark of the end
ABSENT = -10.0
NO_OBJECT = -1024.0
OBJECT_SCORE_MIN = -1.0  # SAMURAI shows an object above it, where plain SAM 2 asks for 0 (its configurations' min_obj_score_logits)
# Keys taken at once by the layout for OpenVINO: their scores against all queries stay in the cache.
KEY_BLOCK = 2048
# Far enough for exp() to be 0 in float32, near enough for float16.
NEVER = 1e4
MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)


class ImageEncoder(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.vision, self.decoder = model.vision_encoder, model.mask_decoder
        self.register_buffer("scale", torch.tensor([1 / d for d in DEVIATION]).view(1, 3, 1, 1))
        self.register_buffer("shift", torch.tensor([-m / d for m, d in zip(MEAN, DEVIATION)]).view(1, 3, 1, 1))

    def forward(self, image):
        levels = self.vision(image * self.scale + self.shift, return_dict=True).fpn_hidden_states
        return levels[2], self.decoder.conv_s0(levels[0]), self.decoder.conv_s1(levels[1])


class PromptEncoder(nn.Module):
    def __init__(self, model):
        super().__init__()
        encoder = model.prompt_encoder
        self.size = float(encoder.input_image_size)
        self.masks = encoder.mask_embed
        self.register_buffer("directions", encoder.shared_embedding.positional_embedding)
        self.register_buffer("kinds", encoder.point_embed.weight.detach())
        self.register_buffer("not_a_point", encoder.not_a_point_embed.weight.detach())
        self.register_buffer("no_mask", encoder.no_mask_embed.weight.detach().view(1, -1, 1, 1))

    def forward(self, points, labels, mask, has_mask):
        angles = 2 * torch.pi * ((2 * (points + 0.5) / self.size - 1) @ self.directions)
        labels = labels.unsqueeze(-1)
        is_point = (labels > -0.5).float()
        absent = (labels < ABSENT + 0.5).float()
        sparse = is_point * torch.cat([angles.sin(), angles.cos()], -1) + (1 - is_point) * (1 - absent) * self.not_a_point
        for kind in range(self.kinds.shape[0]):
            sparse = sparse + ((labels - kind).abs() < 0.5).float() * self.kinds[kind]
        has_mask = has_mask.view(1, 1, 1, 1)
        dense = has_mask * self.masks(mask) + (1 - has_mask) * self.no_mask
        return sparse, (1 - absent).squeeze(-1), dense


class MaskDecoder(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.decoder, self.projection = model.mask_decoder, model.object_pointer_proj
        self.register_buffer("code", model.get_image_wide_positional_embeddings().detach().flatten(2).transpose(1, 2).unsqueeze(1))
        self.register_buffer("no_memory", model.no_memory_embedding.detach().view(1, -1, 1, 1))
        self.register_buffer("no_pointer", model.no_object_pointer.detach())
        head = [model.mask_decoder.obj_score_token.weight, model.mask_decoder.iou_token.weight, model.mask_decoder.mask_tokens.weight]
        self.register_buffer("head", torch.cat(head).detach()[None])
        self.delta = model.mask_decoder.dynamic_multimask_stability_delta

    def forward(self, embeddings, no_memory, high_res_features1, high_res_features2, sparse_embedding, sparse_validity, dense_embedding):
        decoder = self.decoder
        channels, side = embeddings.shape[1], embeddings.shape[2]
        head = self.head.shape[1]
        tokens = torch.cat([self.head, sparse_embedding], 1).unsqueeze(1)
        unseen = torch.cat([torch.zeros(1, head), (sparse_validity - 1) * NEVER], 1).view(1, 1, 1, -1)
        image = embeddings + no_memory.view(1, 1, 1, 1) * self.no_memory + dense_embedding
        keys = image.flatten(2).transpose(1, 2).unsqueeze(1)
        queries = tokens
        for layer in decoder.transformer.layers:
            # The first layer takes the tokens without adding their codes, as they are the codes.
            where = queries if layer.skip_first_layer_pe else queries + tokens
            found = layer.self_attn(query=where, key=where, value=queries, attention_similarity=unseen)[0]
            queries = layer.layer_norm1(found if layer.skip_first_layer_pe else queries + found)
            found = layer.cross_attn_token_to_image(query=queries + tokens, key=keys + self.code, value=keys)[0]
            queries = layer.layer_norm2(queries + found)
            queries = layer.layer_norm3(queries + layer.mlp(queries))
            found = layer.cross_attn_image_to_token(query=keys + self.code, key=queries + tokens, value=queries,
                                                    attention_similarity=unseen)[0]
            keys = layer.layer_norm4(keys + found)
        last = decoder.transformer
        found = last.final_attn_token_to_image(query=queries + tokens, key=keys + self.code, value=keys)[0]
        queries = last.layer_norm_final_attn(queries + found)[:, 0]

        image = keys[:, 0].transpose(1, 2).reshape(1, channels, side, side)
        image = decoder.activation(decoder.upscale_layer_norm(decoder.upscale_conv1(image) + high_res_features2))
        image = decoder.activation(decoder.upscale_conv2(image) + high_res_features1)
        of_masks = queries[:, 2:head]
        filters = torch.stack([mlp(of_masks[:, k]) for k, mlp in enumerate(decoder.output_hypernetworks_mlps)], 1)
        masks = (filters @ image.flatten(2)).reshape(1, head - 2, 4 * side, 4 * side)

        single = masks[:, 0].flatten(1)
        inner = (single > self.delta).float().sum(1, keepdim=True)
        outer = (single > -self.delta).float().sum(1, keepdim=True)
        empty = (outer < 0.5).float()
        stability = inner / (outer + empty) + empty

        object_score = decoder.pred_obj_score_head(queries[:, 0])
        seen = (object_score > OBJECT_SCORE_MIN).float()
        pointers = seen.unsqueeze(-1) * self.projection(of_masks) + (1 - seen.unsqueeze(-1)) * self.no_pointer
        shown = seen.view(1, 1, 1, 1)
        masks = shown * masks + (1 - shown) * NO_OBJECT
        return masks, _predicted_ious(decoder.iou_prediction_head, queries[:, 1]), pointers, object_score, stability


def _predicted_ious(head, tokens):
    """The head's forward with its sigmoid written out: ONNX Runtime's Sigmoid is off by a bit or two and not monotone beyond 9.5,
    and among candidates that are equal in PyTorch, as most are near 1, another one than the first would be taken."""
    hidden = head.activation(head.proj_in(tokens))
    for layer in head.layers:
        hidden = head.activation(layer(hidden))
    return 1 / (1 + torch.exp(-head.proj_out(hidden)))


class _Rotated(nn.Module):
    """A projection followed by the rotation of channel pairs: x·W·cos + x·(W turned by a quarter)·sin, no pairs to take apart.

    @param extra  the width grows by one column that the rotation leaves alone: `one` there for queries, 0 for keys
    """

    def __init__(self, linear: nn.Linear, cos, sin, scale: float = 1.0, extra: bool = False, one: float = 0.0):
        super().__init__()
        weight, bias = linear.weight.detach().double() * scale, linear.bias.detach().double() * scale

        def quarter(x):
            pairs = x.unflatten(0, (-1, 2))
            return torch.stack([-pairs[:, 1], pairs[:, 0]], 1).flatten(0, 1)

        turned, turned_bias = quarter(weight), quarter(bias)
        if extra:
            pad = functional.pad
            weight, turned = pad(weight, (0, 0, 0, 1)), pad(turned, (0, 0, 0, 1))
            bias, turned_bias = pad(bias, (0, 1), value=one), pad(turned_bias, (0, 1))
            cos, sin = pad(cos, (0, 1), value=1.0), pad(sin, (0, 1))
        for name, value in (("weight", weight.T), ("bias", bias), ("turned", turned.T), ("turned_bias", turned_bias)):
            self.register_buffer(name, value.float().contiguous())
        self.register_buffer("cos", cos.contiguous())
        self.register_buffer("sin", sin.contiguous())

    def forward(self, x):
        return (x @ self.weight + self.bias) * self.cos + (x @ self.turned + self.turned_bias) * self.sin

    def still(self, x):
        """Without the rotation, for keys that have no place."""
        return x @ self.weight + self.bias


class _Layer(nn.Module):
    def __init__(self, layer, cos, sin, layout: str):
        super().__init__()
        fused = layout == "cpu"
        own, cross = layer.self_attn, layer.cross_attn_image
        assert own.num_attention_heads == cross.num_attention_heads == 1
        self.norm1, self.norm2, self.norm3 = layer.layer_norm1, layer.layer_norm2, layer.layer_norm3
        self.linear1, self.linear2, self.activation = layer.linear1, layer.linear2, layer.activation
        self.query, self.key = _Rotated(own.q_proj, cos, sin, own.scaling), _Rotated(own.k_proj, cos, sin)
        self.value, self.out = own.v_proj, own.o_proj
        self.cross_query = _Rotated(cross.q_proj, cos, sin, cross.scaling, fused, 1.0)
        self.cross_key = _Rotated(cross.k_proj, cos, sin, 1.0, fused)
        # softmax·(M·Wv + bv)·Wo + bo = (softmax·M)·(Wv·Wo) + (bv·Wo + bo): rows of the softmax sum to one, so the sum over the
        # keys can be taken over the memory's few channels.
        value, out = cross.v_proj, cross.o_proj
        weight = out.weight.detach().double() @ value.weight.detach().double()
        self.register_buffer("cross_out", weight.T.float().contiguous())
        bias = out.weight.detach().double() @ value.bias.detach().double() + out.bias.detach().double()
        self.register_buffer("cross_bias", bias.float())
        self.fused, self.summed = fused, layout == "openvino"
        if self.summed:
            self.register_buffer("value_weight", functional.pad(own.v_proj.weight.detach().T, (0, 1)).contiguous())
            self.register_buffer("value_bias", functional.pad(own.v_proj.bias.detach(), (0, 1), value=1.0))

    def forward(self, x, keys, pointer_keys, values, bias, memory_bias):
        if self.summed:
            return self._summed(x, keys, pointer_keys, values, bias, memory_bias)
        y = self.norm1(x)
        query, key, value = self.query(y), self.key(y), self.value(y)
        x = x + self.out(attention.fused(query, key, value) if self.fused else attention.blocked(query, key, value))
        query, key, still = self.cross_query(self.norm2(x)), self.cross_key(keys), self.cross_key.still(pointer_keys)
        width = query.shape[-1]
        if self.fused:
            # The bias of a key rides in the column where every query has a one.
            still = still + functional.pad(bias.transpose(1, 2), (width - 1, 0))
            if memory_bias is not None:
                key = key + functional.pad(memory_bias.view(-1, 1, 1), (width - 1, 0))
            found = attention.fused(query, torch.cat([key.reshape(1, -1, width), still], 1), values)
        else:
            length = key.shape[1]
            of_memories = torch.zeros(1, 1, key.shape[0] * length)
            if memory_bias is not None:
                of_memories = memory_bias.view(-1, 1).expand(-1, length).reshape(1, 1, -1)
            found = attention.blocked(query, torch.cat([key.reshape(1, -1, width), still], 1), values,
                                      torch.cat([of_memories, bias], 2))
        return self._rest(x, found)

    def _summed(self, x, keys, pointer_keys, values, bias, memory_bias):
        """@param values  blocks of the memories, one after the other, then the pointers'; see attention.summed()"""
        y = self.norm1(x)
        value = y @ self.value_weight + self.value_bias
        parts = range(0, y.shape[1], KEY_BLOCK)
        key = self.key(y)
        found = attention.summed(self.query(y), [key[:, k:k + KEY_BLOCK] for k in parts], [value[:, k:k + KEY_BLOCK] for k in parts])
        x = x + self.out(found)
        key = self.cross_key(keys)
        blocks = [key[row:row + 1, k:k + KEY_BLOCK] for row in range(key.shape[0]) for k in range(0, key.shape[1], KEY_BLOCK)]
        each = len(blocks) // key.shape[0]
        biases = [None if memory_bias is None else memory_bias[k // each] for k in range(len(blocks))]
        return self._rest(x, attention.summed(self.cross_query(self.norm2(x)), [*blocks, self.cross_key.still(pointer_keys)], values,
                                              [*biases, bias]))

    def _rest(self, x, found):
        x = x + (found @ self.cross_out + self.cross_bias)
        return x + self.linear2(self.activation(self.linear1(self.norm3(x))))


class MemoryAttention(nn.Module):
    def __init__(self, model, count: int, layout: str):
        super().__init__()
        config, block = model.config, model.memory_attention
        side, channels, memory = config.image_size // 16, config.memory_attention_hidden_size, config.memory_encoder_output_channels
        self.side, self.channels, self.count = side, channels, count
        self.splits, self.summed = channels // memory, layout == "openvino"
        self.norm, self.distance_projection = block.layer_norm, model.temporal_positional_encoding_projection_layer
        place = model.vision_encoder.neck.position_encoding((1, channels, side, side), "cpu", torch.float32)
        self.register_buffer("place", 0.1 * place.flatten(2).transpose(1, 2))
        # Row 0 is the prompt's; the last row is the newest, whose code is number 0.
        order = [config.num_maskmem - 1] + [count - 1 - row for row in range(1, count)]
        code = model.memory_encoder.position_encoding((1, memory, side, side), "cpu", torch.float32).flatten(2)
        time = model.memory_temporal_positional_encoding.detach()[order].view(count, memory, 1)
        self.register_buffer("code", (code + time).transpose(1, 2).contiguous())
        cos, sin = block.rotary_emb(place, block.position_ids)
        self.layers = nn.ModuleList(_Layer(layer, cos[0], sin[0], layout) for layer in block.layers)
        half = torch.arange(channels // 2, dtype=torch.float32)
        steps = 10000 ** (2 * (half // 2) / (channels // 2))
        self.register_buffer("rates", (1 / (steps.double() * (POINTERS - 1))).float()[None])

    def forward(self, image_embeddings, memories, object_pointers, pointer_distances, pointer_validity, memory_validity=None):
        x = image_embeddings.flatten(2).transpose(1, 2) + self.place
        values = memories.flatten(2).transpose(1, 2)
        width = values.shape[-1]
        pointers = object_pointers.reshape(1, POINTERS * self.splits, width)
        angles = pointer_distances.view(-1, 1) * self.rates
        times = self.distance_projection(torch.cat([angles.sin(), angles.cos()], -1))
        times = times.unsqueeze(1).expand(-1, self.splits, -1).reshape(1, -1, width)
        bias = ((pointer_validity.view(-1, 1) - 1) * NEVER).expand(-1, self.splits).reshape(1, 1, -1)
        memory_bias = None if memory_validity is None else (memory_validity - 1) * NEVER
        keys = values + self.code
        if self.summed:
            all_values = self._value_blocks(values, pointers)
        else:
            all_values = torch.cat([values.reshape(1, -1, width), pointers], 1)
        for layer in self.layers:
            x = layer(x, keys, pointers + times, all_values, bias, memory_bias)
        return self.norm(x).transpose(1, 2).reshape(1, self.channels, self.side, self.side)

    def _value_blocks(self, values, pointers):
        """With a column of ones, see attention.summed()."""
        values, pointers = functional.pad(values, (0, 1), value=1.0), functional.pad(pointers, (0, 1), value=1.0)
        blocks = [values[row:row + 1, k:k + KEY_BLOCK] for row in range(self.count) for k in range(0, values.shape[1], KEY_BLOCK)]
        return [*blocks, pointers]


class MemoryEncoder(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.encoder, config = model.memory_encoder, model.config
        self.size, self.scale, self.bias = config.image_size, config.sigmoid_scale_for_mem_enc, config.sigmoid_bias_for_mem_enc
        self.register_buffer("hidden", model.occlusion_spatial_embedding_parameter.detach().view(1, -1, 1, 1))

    def forward(self, image_embeddings, mask, object_score, is_prompt):
        mask = functional.interpolate(mask, size=(self.size, self.size), mode="bilinear", align_corners=False)
        is_prompt = is_prompt.view(1, 1, 1, 1)
        mask = is_prompt * (mask > 0).float() + (1 - is_prompt) * mask.sigmoid()
        mask = self.encoder.mask_downsampler(mask * self.scale + self.bias)
        fused = self.encoder.memory_fuser(self.encoder.feature_projection(image_embeddings) + mask)
        return self.encoder.projection(fused) + (1 - (object_score > 0).float().view(1, 1, 1, 1)) * self.hidden
