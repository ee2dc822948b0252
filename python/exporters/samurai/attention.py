"""Attention in three layouts: one operator of ONNX Runtime's CPU provider, or standard operators in blocks of queries or keys."""

import math

import torch


class _Fused(torch.autograd.Function):
    """(1) query [B, L, D], key [B, K, D], value [B, K, V], heads joined in the last axis; the scale is 1."""

    @staticmethod
    def forward(ctx, query, key, value, heads):
        def apart(x):
            return x.unflatten(-1, (heads, -1)).transpose(1, 2)
        out = torch.nn.functional.scaled_dot_product_attention(apart(query), apart(key), apart(value), scale=1.0)
        return out.transpose(1, 2).flatten(2)

    @staticmethod
    def symbolic(graph, query, key, value, heads):
        found = graph.op("com.microsoft::MultiHeadAttention", query, key, value, num_heads_i=heads, scale_f=1.0)
        length, width = query.type().sizes(), value.type().sizes()
        if length and width:
            found.setType(query.type().with_sizes([length[0], length[1], width[2]]))
        return found


def fused(query, key, value, heads: int = 1):
    """Never holds the scores of all queries: it goes through the keys in blocks that fit the cache."""
    return _Fused.apply(query, key, value, heads)


def blocked(query, key, value, bias=None, limit: int = 16 << 20):
    """One head. query [1, L, D], key [1, K, D], value [1, K, V], bias [1, 1, K]; a block holds `limit` scores at most."""
    length, keys = int(query.shape[1]), int(key.shape[1])
    blocks = 1 << max(0, math.ceil(math.log2(length * keys / limit)))
    columns = key.transpose(1, 2)
    parts = []
    for part in query.split(length // min(blocks, length), dim=1):
        scores = part @ columns
        parts.append((scores if bias is None else scores + bias).softmax(-1) @ value)
    return parts[0] if len(parts) == 1 else torch.cat(parts, 1)


def summed(query, keys, values, biases=None):
    """Softmax block by block of keys: both sums of its quotient come from one product, corrected when a larger score turns up.

    query [..., L, D]; keys and values: blocks [..., K, D] and [..., K, V + 1], the last column of a value is 1; biases: of the
    scores, None where a block has none.
    """
    total = largest = None
    for key, value, bias in zip(keys, values, biases or [None] * len(keys)):
        scores = query @ key.transpose(-2, -1)
        if bias is not None:
            scores = scores + bias
        before, largest = largest, scores.amax(-1, keepdim=True)
        if before is None:
            total = (scores - largest).exp() @ value
        else:
            largest = torch.maximum(before, largest)
            total = total * (before - largest).exp() + (scores - largest).exp() @ value
    return total[..., :-1] / total[..., -1:]


def trunk_attention(module, query, key, value, attention_mask=None, scaling=1.0, **_):
    """For `transformers`: [B, heads, L, D] each; returns [B, L, heads, D]."""
    heads = int(query.shape[1])

    def joined(x):
        return x.transpose(1, 2).flatten(2)

    return fused(joined(query * scaling), joined(key), joined(value), heads).unflatten(-1, (heads, -1)), None


def to_windows(image, size: int):
    """[1, H, W, C] to [windows, size, size, C], filled with zeros below and to the right; five axes, as NPU compilers end there."""
    height, width, channels = (int(v) for v in image.shape[1:])
    below, right = -height % size, -width % size
    if below or right:
        image = torch.nn.functional.pad(image, (0, 0, 0, right, 0, below))
    rows, columns = (height + below) // size, (width + right) // size
    windows = image.reshape(rows, size, columns, size, channels).transpose(1, 2)
    return windows.reshape(rows * columns, size, size, channels), (height + below, width + right)


def from_windows(windows, size: int, padded, original):
    """The way back; returns [1, H, W, C]."""
    rows, columns, channels = int(padded[0]) // size, int(padded[1]) // size, int(windows.shape[-1])
    image = windows.reshape(rows, columns, size, size, channels).transpose(1, 2)
    return image.reshape(1, rows * size, columns * size, channels)[:, :int(original[0]), :int(original[1])]
