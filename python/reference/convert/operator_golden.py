"""Goldens of the ATen operators that `slipway convert` takes: tests/golden/convert/operators/FAMILY.npz.

    .deps/venv-torch/bin/python -m python.reference.convert.operator_golden [FAMILY …]

A case is a name, a function and its inputs. The cases of a family are exported as one program with an output for each, and
kept with the inputs and with what PyTorch computes: python/tests/test_convert_operators.py converts the program, runs it on
ONNX Runtime and compares. `--schemas FILE` compares the table (`slipway convert --operators --json`) with PyTorch's own
schemas. Needs tools/setup.sh torch.
"""

import argparse
import io
import json
import pathlib
import sys
import zipfile

import numpy as np
import torch
from torch.nn import functional as F

OUTPUT = pathlib.Path("tests/golden/convert/operators")
GENERATOR = torch.Generator().manual_seed(15)
NAN, INF = float("nan"), float("inf")


def rand(*shape):
    return torch.rand(*shape, generator=GENERATOR) * 4 - 2


def positive(*shape):
    return torch.rand(*shape, generator=GENERATOR) + 0.1


def ints(low, high, *shape, dtype=torch.int64):
    return torch.randint(low, high, shape, generator=GENERATOR).to(dtype)


def bools(*shape):
    return torch.rand(*shape, generator=GENERATOR) > 0.5


def special(*shape):
    x = rand(*shape).flatten()
    x[:4] = torch.tensor([NAN, INF, -INF, -0.0])
    return x.view(*shape)


def pointwise():
    yield "add_alpha", lambda x, y: torch.add(x, y, alpha=2), rand(2, 3), rand(3)
    yield "add_scalar", lambda x: x + 2, rand(2, 3)
    yield "add_int_float", lambda x: x + 2.5, ints(-5, 5, 2, 3)
    yield "add_int32_int64", lambda x, y: x + y, ints(-5, 5, 4, dtype=torch.int32), ints(-5, 5, 4)
    yield "add_uint8_int8", lambda x, y: x + y, ints(0, 200, 4, dtype=torch.uint8), ints(-9, 9, 4, dtype=torch.int8)
    yield "add_uint8_wraps", lambda x: x + 100, torch.tensor([200, 3, 155], dtype=torch.uint8)
    yield "add_bool", lambda x, y: x + y, bools(5), bools(5)
    yield "add_bool_int", lambda x: x + 1, bools(5)
    yield "add_rank0", lambda x, y: x + y, ints(-5, 5, 3), torch.tensor(1.5)
    yield "add_half_number", lambda x: x * 2.5, rand(3).half()
    yield "add_empty", lambda x, y: x + y, torch.zeros(0, 3), rand(3)
    yield "sub_alpha", lambda x, y: torch.sub(x, y, alpha=3), rand(2, 3), rand(2, 1)
    yield "rsub", lambda x: 1 - x, rand(3)
    yield "rsub_int", lambda x: 1 - x, ints(-4, 4, 3)
    yield "mul_broadcast", lambda x, y: x * y, rand(2, 1, 3), rand(4, 1)
    yield "mul_bool_float", lambda x, y: x * y, bools(3), rand(3)
    yield "div", lambda x, y: x / y, rand(4), positive(4)
    yield "div_int", lambda x, y: x / y, ints(-9, 9, 5), ints(1, 5, 5)
    yield "div_zero", lambda x: x / 0, torch.tensor([1.0, -1.0, 0.0])
    yield "div_floor", lambda x, y: torch.div(x, y, rounding_mode="floor"), rand(6), rand(6)
    yield "div_floor_int", lambda x, y: torch.div(x, y, rounding_mode="floor"), torch.tensor([-7, 7, -7, 7, 6]), torch.tensor([2, 2, -2, -2, 3])
    yield "div_trunc", lambda x, y: torch.div(x, y, rounding_mode="trunc"), rand(6) * 5, rand(6)
    yield "div_trunc_int", lambda x, y: torch.div(x, y, rounding_mode="trunc"), torch.tensor([-7, 7, -7, 7, 6]), torch.tensor([2, 2, -2, -2, 3])
    yield "floor_divide", lambda x: x // 2, torch.tensor([-3, 3, 4, -4])
    yield "floor_divide_float", lambda x: x // 1.5, rand(5)
    yield "remainder", lambda x, y: torch.remainder(x, y), rand(5), rand(5)
    yield "remainder_int", lambda x: x % 3, torch.tensor([-7, 7, -6, 5])
    yield "remainder_negative", lambda x: x % -3, torch.tensor([-7, 7, -6, 5])
    yield "fmod", lambda x, y: torch.fmod(x, y), rand(5), rand(5)
    yield "fmod_int", lambda x: torch.fmod(x, 3), torch.tensor([-7, 7, -6, 5])
    yield "pow2", lambda x: x ** 2, rand(4)
    yield "pow_half", lambda x: x ** 0.5, positive(4)
    yield "pow_3", lambda x: x ** 3, rand(4)
    yield "pow_int", lambda x: x ** 3, ints(-4, 4, 4)
    yield "pow_tensor", lambda x, y: torch.pow(x, y), positive(4), rand(4)
    yield "pow_scalar", lambda x: 2 ** x, rand(4)
    yield "pow_minus1", lambda x: x ** -1, positive(4)
    yield "atan2", lambda x, y: torch.atan2(x, y), torch.tensor([1.0, -1.0, 0.5, -0.5, 1.0, 0.0]), torch.tensor([1.0, 1.0, -1.0, -1.0, 0.0, 1.0])
    yield "maximum", lambda x, y: torch.maximum(x, y), rand(4), rand(4)
    yield "minimum_int", lambda x, y: torch.minimum(x, y), ints(-5, 5, 4), ints(-5, 5, 4)
    yield "max_other", lambda x, y: torch.max(x, y), rand(2, 3), rand(3)
    for name in ("eq", "ne", "lt", "le", "gt", "ge"):
        yield name, lambda x, y, f=getattr(torch, name): f(x, y), ints(0, 3, 6), ints(0, 3, 6)
        yield name + "_scalar", lambda x, f=getattr(torch, name): f(x, 0.5), torch.tensor([0.5, 1.0, NAN, -1.0])
        yield name + "_int_float", lambda x, f=getattr(torch, name): f(x, 1.5), ints(0, 3, 4)
    yield "logical_and", lambda x, y: torch.logical_and(x, y), ints(0, 2, 4), rand(4)
    yield "logical_or", lambda x, y: torch.logical_or(x, y), bools(4), bools(4)
    yield "logical_xor", lambda x, y: torch.logical_xor(x, y), bools(4), bools(4)
    yield "logical_not", lambda x: torch.logical_not(x), ints(0, 2, 4)
    yield "bitwise_and", lambda x, y: x & y, ints(0, 99, 4), ints(0, 99, 4)
    yield "bitwise_or_bool", lambda x, y: x | y, bools(4), bools(4)
    yield "bitwise_xor", lambda x, y: x ^ y, ints(0, 99, 4, dtype=torch.int32), ints(0, 99, 4, dtype=torch.int32)
    yield "bitwise_not", lambda x: ~x, ints(0, 99, 4)
    yield "bitwise_not_bool", lambda x: ~x, bools(4)
    for name in ("abs", "neg", "sign", "exp", "sin", "cos", "tan", "atan", "sinh", "cosh", "tanh", "asinh", "erf", "sigmoid", "floor",
                 "ceil", "round", "trunc", "frac", "square", "expm1", "exp2", "relu"):
        yield name, lambda x, f=getattr(torch, name): f(x), rand(7)
    for name in ("sqrt", "rsqrt", "reciprocal", "log", "log1p", "log2", "log10"):
        yield name, lambda x, f=getattr(torch, name): f(x), positive(7)
    for name in ("asin", "acos", "atanh"):
        yield name, lambda x, f=getattr(torch, name): f(x), rand(7) / 2.1
    yield "acosh", lambda x: torch.acosh(x), positive(7) + 1
    yield "round_half", lambda x: torch.round(x), torch.tensor([0.5, 1.5, 2.5, -0.5, -1.5])
    yield "floor_int", lambda x: torch.floor(x), ints(-4, 4, 4)
    yield "sqrt_int", lambda x: torch.sqrt(x), ints(0, 9, 4)
    yield "abs_int8", lambda x: torch.abs(x), ints(-9, 9, 4, dtype=torch.int8)
    yield "sqrt_special", lambda x: torch.sqrt(x), torch.tensor([-1.0, INF, NAN, 0.0])
    yield "isnan", lambda x: torch.isnan(x), special(3, 4)
    yield "isinf", lambda x: torch.isinf(x), special(3, 4)
    yield "isfinite", lambda x: torch.isfinite(x), special(3, 4)
    yield "nan_to_num", lambda x: torch.nan_to_num(x), special(3, 4)
    yield "nan_to_num_given", lambda x: torch.nan_to_num(x, nan=1.0, posinf=9.0, neginf=-9.0), special(3, 4)
    yield "relu6", lambda x: F.relu6(x), rand(6) * 5
    yield "hardtanh", lambda x: F.hardtanh(x, -0.5, 1.5), rand(6)
    yield "hardswish", lambda x: F.hardswish(x), rand(6) * 3
    yield "hardsigmoid", lambda x: F.hardsigmoid(x), rand(6) * 3
    yield "gelu", lambda x: F.gelu(x), rand(6)
    yield "gelu_tanh", lambda x: F.gelu(x, approximate="tanh"), rand(6)
    yield "silu", lambda x: F.silu(x), rand(6)
    yield "mish", lambda x: F.mish(x), rand(6)
    yield "leaky_relu", lambda x: F.leaky_relu(x, 0.2), rand(6)
    yield "elu", lambda x: F.elu(x, 0.7), rand(6)
    yield "selu", lambda x: F.selu(x), rand(6)
    yield "celu", lambda x: F.celu(x, 0.8), rand(6)
    yield "softplus", lambda x: F.softplus(x), rand(6) * 15
    yield "softplus_beta", lambda x: F.softplus(x, 2.0, 3.0), rand(6) * 3
    yield "softshrink", lambda x: F.softshrink(x, 0.3), rand(6)
    yield "hardshrink", lambda x: F.hardshrink(x, 0.3), rand(6)
    yield "log_sigmoid", lambda x: F.logsigmoid(x), rand(6)
    yield "threshold", lambda x: F.threshold(x, 0.1, -7.0), rand(6)
    yield "prelu_one", lambda x, w: F.prelu(x, w), rand(2, 3, 2), positive(1)
    yield "prelu_channels", lambda x, w: F.prelu(x, w), rand(2, 3, 2), positive(3)
    yield "glu", lambda x: F.glu(x, 1), rand(2, 6, 2)
    yield "clamp", lambda x: torch.clamp(x, -0.5, 0.7), rand(6)
    yield "clamp_min", lambda x: torch.clamp(x, min=0.1), rand(6)
    yield "clamp_max_int", lambda x: torch.clamp(x, max=2), ints(-5, 5, 6)
    yield "clamp_int_float", lambda x: torch.clamp(x, min=0.5), ints(-5, 5, 6)
    yield "clamp_tensor", lambda x, y: torch.clamp(x, min=y), rand(2, 3), rand(3)
    yield "where", lambda c, x, y: torch.where(c, x, y), bools(2, 3), rand(3), rand(2, 1)
    yield "where_scalar", lambda c, x: torch.where(c, x, -1.0), bools(2, 3), rand(3)
    yield "where_types", lambda c, x, y: torch.where(c, x, y), bools(3), ints(0, 5, 3), rand(3)
    yield "masked_fill", lambda x, m: x.masked_fill(m, -INF), rand(2, 3), bools(3)
    yield "masked_fill_int", lambda x, m: x.masked_fill(m, 7), ints(0, 5, 2, 3), bools(2, 3)
    yield "lerp", lambda x, y: torch.lerp(x, y, 0.3), rand(4), rand(4)
    yield "addcmul", lambda x, y, z: torch.addcmul(x, y, z, value=0.5), rand(4), rand(4), rand(4)
    yield "addcdiv", lambda x, y, z: torch.addcdiv(x, y, z, value=0.5), rand(4), rand(4), positive(4)
    yield "to_int", lambda x: x.to(torch.int64), rand(5) * 3
    yield "to_bool", lambda x: x.to(torch.bool), torch.tensor([0.0, 0.5, -1.0, NAN])
    yield "to_half", lambda x: x.half(), rand(5)
    yield "type_as", lambda x, y: x.type_as(y), rand(5), ints(0, 2, 1, dtype=torch.int32)
    yield "in_place", lambda x: x.clone().mul_(2).add_(1).relu_(), rand(5)
    yield "dropout", lambda x: F.dropout(x, 0.5, training=False), rand(5)


def shape():
    yield "view", lambda x: x.view(3, -1), rand(2, 3, 2)
    yield "view_empty", lambda x: x.reshape(0, 4), torch.zeros(2, 0)
    yield "reshape_scalar", lambda x: x.reshape(()), rand(1, 1)
    yield "flatten", lambda x: torch.flatten(x, 1, 2), rand(2, 3, 2, 2)
    yield "flatten_scalar", lambda x: torch.flatten(x), torch.tensor(3.0)
    yield "unflatten", lambda x: x.unflatten(1, (2, -1)), rand(2, 6, 2)
    yield "permute", lambda x: x.permute(2, 0, -2), rand(2, 3, 4)
    yield "transpose", lambda x: x.transpose(-1, 0), rand(2, 3, 4)
    yield "t", lambda x: x.t(), rand(2, 3)
    yield "mT", lambda x: x.mT, rand(2, 3, 4)
    yield "movedim", lambda x: torch.movedim(x, 0, -1), rand(2, 3, 4)
    yield "movedims", lambda x: torch.movedim(x, (0, 1), (2, 0)), rand(2, 3, 4)
    yield "unsqueeze", lambda x: x.unsqueeze(-1), rand(2, 3)
    yield "squeeze", lambda x: x.squeeze(), rand(1, 3, 1)
    yield "squeeze_dim", lambda x: x.squeeze(1), rand(2, 1, 3)
    yield "squeeze_not_one", lambda x: x.squeeze(0), rand(2, 1)
    yield "squeeze_dims", lambda x: x.squeeze((0, 2)), rand(1, 3, 1)
    yield "cat", lambda x, y: torch.cat([x, y], -1), rand(2, 3), rand(2, 1)
    yield "cat_types", lambda x, y: torch.cat([x, y]), ints(0, 4, 3), rand(2)
    yield "cat_empty", lambda x, y: torch.cat([x, y], 1), rand(2, 3), torch.zeros(0)
    yield "stack", lambda x, y: torch.stack([x, y], 1), rand(2, 3), rand(2, 3)
    yield "hstack", lambda x, y: torch.hstack([x, y]), rand(2, 3), rand(2, 1)
    yield "vstack", lambda x, y: torch.vstack([x, y]), rand(3), rand(2, 3)
    yield "split", lambda x: torch.split(x, 2, 1)[2], rand(2, 5)
    yield "split_sizes", lambda x: torch.split(x, [1, 3], 0)[1], rand(4, 2)
    yield "chunk", lambda x: torch.chunk(x, 3, 0)[2], rand(7, 2)
    yield "tensor_split", lambda x: torch.tensor_split(x, 3, 0)[1], rand(7, 2)
    yield "tensor_split_indices", lambda x: torch.tensor_split(x, [1, 4], 0)[1], rand(7, 2)
    yield "unbind", lambda x: torch.unbind(x, 1)[2], rand(2, 3)
    yield "expand", lambda x: x.expand(4, -1, 3), rand(2, 1)
    yield "repeat", lambda x: x.repeat(2, 1, 3), rand(2, 3)
    yield "tile", lambda x: torch.tile(x, (2,)), rand(2, 3)
    yield "repeat_interleave", lambda x: x.repeat_interleave(3, 0), rand(2, 3)
    yield "repeat_interleave_flat", lambda x: x.repeat_interleave(2), rand(2, 3)
    yield "slice", lambda x: x[1:5:2], rand(6, 2)
    yield "slice_negative", lambda x: x[:, -3:-1], rand(2, 5)
    yield "slice_beyond", lambda x: x[:, 2:99], rand(2, 5)
    yield "slice_nothing", lambda x: x[3:2], rand(5, 2)
    yield "narrow", lambda x: x.narrow(1, 1, 2), rand(2, 5)
    yield "select", lambda x: x[:, -1], rand(2, 5)
    yield "roll", lambda x: torch.roll(x, (1, -2), (0, 1)), rand(3, 5)
    yield "roll_flat", lambda x: torch.roll(x, 2), rand(3, 2)
    yield "flip", lambda x: torch.flip(x, (0, -1)), rand(3, 2, 4)
    yield "unfold", lambda x: x.unfold(1, 3, 2), rand(2, 8)
    yield "unfold_first", lambda x: x.unfold(0, 2, 1), rand(4, 3)
    yield "pixel_shuffle", lambda x: F.pixel_shuffle(x, 2), rand(1, 8, 2, 3)
    yield "pixel_unshuffle", lambda x: F.pixel_unshuffle(x, 2), rand(1, 2, 4, 6)
    yield "channel_shuffle", lambda x: F.channel_shuffle(x, 3), rand(1, 6, 2, 2)
    yield "meshgrid_ij", lambda x, y: torch.meshgrid(x, y, indexing="ij")[1], rand(2), rand(3)
    yield "meshgrid_xy", lambda x, y: torch.meshgrid(x, y, indexing="xy")[0], rand(2), rand(3)
    yield "broadcast_tensors", lambda x, y: torch.broadcast_tensors(x, y)[0], rand(2, 1), rand(3)
    yield "diff", lambda x: torch.diff(x), rand(2, 5)
    yield "diff_longer", lambda x, y: torch.diff(x, 2, 0, prepend=y, append=y), rand(5, 2), rand(1, 2)

    def written(x):
        y = x.clone()
        y[:, 1] = 7
        y[1:, ::2] += 1
        return y
    yield "written_through_views", written, rand(3, 5)


def convolution():
    yield "conv1d", lambda x, w, b: F.conv1d(x, w, b, 2, 1), rand(2, 3, 9), rand(4, 3, 3), rand(4)
    yield "conv2d", lambda x, w: F.conv2d(x, w, None, (2, 1), (0, 1), (1, 2)), rand(1, 4, 7, 9), rand(4, 2, 3, 3).repeat(1, 2, 1, 1)
    yield "conv2d_groups", lambda x, w, b: F.conv2d(x, w, b, 1, 1, 1, 2), rand(1, 4, 5, 5), rand(6, 2, 3, 3), rand(6)
    yield "conv2d_depthwise", lambda x, w: F.conv2d(x, w, None, 1, 1, 1, 4), rand(1, 4, 5, 5), rand(4, 1, 3, 3)
    yield "conv2d_same", lambda x, w: F.conv2d(x, w, None, 1, "same"), rand(1, 2, 5, 6), rand(3, 2, 4, 3)
    yield "conv2d_valid", lambda x, w: F.conv2d(x, w, None, 2, "valid"), rand(1, 2, 5, 6), rand(3, 2, 2, 3)
    yield "conv2d_unbatched", lambda x, w: F.conv2d(x, w), rand(2, 5, 6), rand(3, 2, 2, 2)
    yield "conv3d", lambda x, w: F.conv3d(x, w, None, (1, 2, 1), 1), rand(1, 2, 4, 5, 5), rand(3, 2, 3, 3, 3)
    yield "conv_transpose1d", lambda x, w, b: F.conv_transpose1d(x, w, b, 2, 1, 1), rand(1, 3, 5), rand(3, 2, 3), rand(2)
    yield "conv_transpose2d", lambda x, w: F.conv_transpose2d(x, w, None, 2, 1, 1, 2, 2), rand(1, 4, 5, 4), rand(4, 3, 3, 3)
    yield "conv_transpose3d", lambda x, w: F.conv_transpose3d(x, w, None, 2), rand(1, 2, 3, 3, 2), rand(2, 3, 2, 2, 2)


def pooling():
    yield "max_pool1d", lambda x: F.max_pool1d(x, 3, 2, 1), rand(2, 3, 9)
    yield "max_pool2d", lambda x: F.max_pool2d(x, 3, 2, 1), rand(1, 2, 7, 8)
    yield "max_pool2d_ceil", lambda x: F.max_pool2d(x, 3, 2, 0, 1, True), rand(1, 2, 6, 8)
    yield "max_pool2d_ceil_pad", lambda x: F.max_pool2d(x, 2, 3, 1, 1, True), rand(1, 2, 5, 7)
    yield "max_pool2d_dilated", lambda x: F.max_pool2d(x, 2, 1, 0, 2), rand(1, 2, 6, 8)
    yield "max_pool2d_unbatched", lambda x: F.max_pool2d(x, 2), rand(2, 6, 8)
    yield "max_pool2d_indices", lambda x: F.max_pool2d(x, 2, 2, return_indices=True)[1], rand(2, 3, 6, 8)
    yield "max_pool3d", lambda x: F.max_pool3d(x, 2), rand(1, 2, 4, 4, 4)
    yield "avg_pool1d", lambda x: F.avg_pool1d(x, 3, 2, 1), rand(2, 3, 9)
    yield "avg_pool2d", lambda x: F.avg_pool2d(x, 3, 2, 1), rand(1, 2, 7, 8)
    yield "avg_pool2d_exclude", lambda x: F.avg_pool2d(x, 3, 2, 1, False, False), rand(1, 2, 7, 8)
    yield "avg_pool2d_ceil", lambda x: F.avg_pool2d(x, 3, 2, 0, True), rand(1, 2, 6, 8)
    yield "avg_pool2d_ceil_pad", lambda x: F.avg_pool2d(x, 3, 2, 1, True, True), rand(1, 2, 6, 8)
    yield "avg_pool2d_ceil_exclude", lambda x: F.avg_pool2d(x, 3, 2, 1, True, False), rand(1, 2, 6, 8)
    yield "avg_pool2d_divisor", lambda x: F.avg_pool2d(x, 2, 2, 0, False, True, 3), rand(1, 2, 6, 8)
    yield "avg_pool3d", lambda x: F.avg_pool3d(x, 2, 2, 1), rand(1, 2, 4, 4, 4)
    yield "adaptive_avg_1", lambda x: F.adaptive_avg_pool2d(x, 1), rand(1, 2, 6, 5)
    yield "adaptive_avg_even", lambda x: F.adaptive_avg_pool2d(x, (2, 3)), rand(1, 2, 6, 9)
    yield "adaptive_avg_uneven", lambda x: F.adaptive_avg_pool2d(x, (4, 3)), rand(1, 2, 6, 7)
    yield "adaptive_avg_none", lambda x: F.adaptive_avg_pool2d(x, (None, 2)), rand(1, 2, 5, 6)
    yield "adaptive_avg_same", lambda x: F.adaptive_avg_pool2d(x, (5, 6)), rand(1, 2, 5, 6)
    yield "adaptive_avg_larger", lambda x: F.adaptive_avg_pool1d(x, 7), rand(1, 2, 3)
    yield "adaptive_max", lambda x: F.adaptive_max_pool2d(x, (2, 3)), rand(1, 2, 6, 9)


def normalization():
    yield "batch_norm", lambda x, m, v, w, b: F.batch_norm(x, m, v, w, b), rand(2, 3, 4, 4), rand(3), positive(3), rand(3), rand(3)
    yield "batch_norm_plain", lambda x, m, v: F.batch_norm(x, m, v, eps=1e-3), rand(2, 3, 4), rand(3), positive(3)
    yield "batch_norm_of_batch", lambda x, w: F.batch_norm(x, None, None, w, training=True), rand(2, 3, 4, 2), rand(3)
    yield "layer_norm", lambda x, w, b: F.layer_norm(x, (4,), w, b), rand(2, 3, 4), rand(4), rand(4)
    yield "layer_norm_two", lambda x, w: F.layer_norm(x, (3, 4), w), rand(2, 3, 4), rand(3, 4)
    yield "layer_norm_plain", lambda x: F.layer_norm(x, (4,), eps=1e-3), rand(2, 3, 4)
    yield "rms_norm", lambda x, w: F.rms_norm(x, (4,), w), rand(2, 3, 4), rand(4)
    yield "group_norm", lambda x, w, b: F.group_norm(x, 2, w, b), rand(2, 4, 3, 3), rand(4), rand(4)
    yield "group_norm_plain", lambda x: F.group_norm(x, 2), rand(2, 4, 3)
    yield "instance_norm", lambda x, w, b: F.instance_norm(x, weight=w, bias=b), rand(2, 3, 4, 4), rand(3), rand(3)
    yield "softmax", lambda x: torch.softmax(x, 1), rand(2, 3, 4)
    yield "softmax_int", lambda x: torch.softmax(x.float(), -1), ints(-4, 4, 2, 3)
    yield "softmax_dtype", lambda x: torch.softmax(x, -1, dtype=torch.float32), rand(2, 3).half()
    yield "log_softmax", lambda x: torch.log_softmax(x, 0), rand(2, 3)
    yield "normalize", lambda x: F.normalize(x, dim=1), rand(2, 3)


def reduction():
    yield "sum", lambda x: x.sum(), rand(2, 3)
    yield "sum_dim", lambda x: x.sum((0, -1), keepdim=True), rand(2, 3, 4)
    yield "sum_int", lambda x: x.sum(0), ints(-5, 5, 3, 2, dtype=torch.int32)
    yield "sum_bool", lambda x: x.sum(), bools(9)
    yield "sum_empty", lambda x: x.sum(0), torch.zeros(0, 3)
    yield "mean", lambda x: x.mean(-1), rand(2, 3)
    yield "mean_all", lambda x: x.mean(), rand(2, 3)
    yield "mean_scalar", lambda x: x.mean(), torch.tensor(2.0)
    yield "prod", lambda x: x.prod(1), rand(2, 3)
    yield "logsumexp", lambda x: torch.logsumexp(x, 1, True), rand(2, 3)
    yield "max", lambda x: x.max(), rand(2, 3)
    yield "max_dim", lambda x: x.max(1)[0], rand(2, 3)
    yield "max_places", lambda x: x.max(-1, keepdim=True)[1], rand(2, 3)
    yield "min_dim_int", lambda x: x.min(0)[0], ints(-5, 5, 3, 2)
    yield "amax", lambda x: torch.amax(x, (0, 2)), rand(2, 3, 2)
    yield "amin", lambda x: torch.amin(x, 1, True), rand(2, 3)
    yield "argmax", lambda x: x.argmax(), rand(2, 3)
    yield "argmax_dim", lambda x: x.argmax(1, True), rand(2, 3)
    yield "argmin", lambda x: x.argmin(0), rand(2, 3)
    yield "any", lambda x: x.any(), bools(3)
    yield "any_dim", lambda x: (x > 1).any(1), rand(3, 4)
    yield "all_dim", lambda x: (x > -1).all(0, True), rand(3, 4)
    yield "var", lambda x: x.var(1), rand(3, 4)
    yield "var_biased", lambda x: x.var((0, 1), unbiased=False), rand(3, 4)
    yield "var_correction", lambda x: x.var(1, correction=2, keepdim=True), rand(3, 4)
    yield "std", lambda x: x.std(), rand(3, 4)
    yield "std_dim", lambda x: x.std(-1, keepdim=True), rand(3, 4)
    yield "var_mean", lambda x: torch.var_mean(x, 1)[1], rand(3, 4)
    for order in (0, 1, 2, 3, INF, -INF):
        yield f"norm_{order}", lambda x, p=order: torch.linalg.vector_norm(x, p, 1), rand(3, 4)
    yield "norm_all", lambda x: x.norm(), rand(3, 4)
    yield "cumsum", lambda x: x.cumsum(1), rand(3, 4)
    yield "cumsum_int", lambda x: x.cumsum(-1), ints(0, 5, 3, 4, dtype=torch.int32)
    yield "topk", lambda x: x.topk(2, 1)[0], rand(3, 5)
    yield "topk_smallest", lambda x: x.topk(2, 0, largest=False)[1], rand(5, 3)
    yield "sort", lambda x: x.sort(1)[0], rand(3, 5)
    yield "sort_descending", lambda x: x.sort(0, descending=True)[1], rand(5, 2)
    yield "argsort", lambda x: x.argsort(), rand(6)


def linear():
    yield "linear", lambda x, w, b: F.linear(x, w, b), rand(2, 3), rand(4, 3), rand(4)
    yield "linear_3d", lambda x, w, b: F.linear(x, w, b), rand(2, 5, 3), rand(4, 3), rand(4)
    yield "linear_1d", lambda x, w: F.linear(x, w), rand(3), rand(4, 3)
    yield "matmul", lambda x, y: x @ y, rand(2, 1, 3, 4), rand(5, 4, 2)
    yield "matmul_vector", lambda x, y: x @ y, rand(3, 4), rand(4)
    yield "dot", lambda x, y: torch.dot(x, y), rand(4), rand(4)
    yield "mm", lambda x, y: torch.mm(x, y), rand(3, 4), rand(4, 2)
    yield "bmm", lambda x, y: torch.bmm(x, y), rand(2, 3, 4), rand(2, 4, 2)
    yield "addmm", lambda b, x, y: torch.addmm(b, x, y, beta=0.5, alpha=2), rand(2), rand(3, 4), rand(4, 2)
    yield "baddbmm", lambda b, x, y: torch.baddbmm(b, x, y, beta=0.5), rand(2, 3, 2), rand(2, 3, 4), rand(2, 4, 2)
    yield "outer", lambda x, y: torch.outer(x, y), rand(3), rand(2)
    yield "einsum_bmm", lambda x, y: torch.einsum("bij,bjk->bik", x, y), rand(2, 3, 4), rand(2, 4, 2)
    yield "einsum_turned", lambda x, y: torch.einsum("bhid,bhjd->bijh", x, y), rand(2, 2, 3, 4), rand(2, 2, 5, 4)
    yield "einsum_summed", lambda x, y: torch.einsum("ijk,kl->jl", x, y), rand(2, 3, 4), rand(4, 2)
    yield "einsum_implicit", lambda x, y: torch.einsum("ij,jk", x, y), rand(2, 3), rand(3, 4)
    yield "einsum_trace_like", lambda x: torch.einsum("abc->ca", x), rand(2, 3, 4)
    yield "attention", lambda q, k, v: F.scaled_dot_product_attention(q, k, v), rand(1, 2, 3, 4), rand(1, 2, 5, 4), rand(1, 2, 5, 4)
    yield "attention_causal", lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True), rand(1, 2, 4, 4), rand(1, 2, 4, 4), rand(1, 2, 4, 4)
    yield "attention_mask", lambda q, k, v, m: F.scaled_dot_product_attention(q, k, v, m, scale=0.3), rand(1, 2, 3, 4), rand(1, 2, 5, 4), rand(1, 2, 5, 4), rand(3, 5)
    yield "attention_bool", lambda q, k, v, m: F.scaled_dot_product_attention(q, k, v, m), rand(1, 2, 3, 4), rand(1, 2, 5, 4), rand(1, 2, 5, 4), torch.tensor([[True, False, True, True, False]] * 3)
    yield "attention_grouped", lambda q, k, v: F.scaled_dot_product_attention(q, k, v, enable_gqa=True), rand(1, 4, 3, 4), rand(1, 2, 5, 4), rand(1, 2, 5, 4)
    many = torch.ops.aten._native_multi_head_attention.default
    yield "native_attention", lambda x, w, b, p, c: many(x, x, x, 8, 2, w, b, p, c, None, False)[0], rand(2, 3, 8), rand(24, 8), rand(24), rand(8, 8), rand(8)
    yield "native_attention_weights", lambda q, k, w, b, p, c: many(q, k, k, 6, 3, w, b, p, c)[1], rand(1, 2, 6), rand(1, 2, 6), rand(18, 6), rand(18), rand(6, 6), rand(6)


def creation():
    yield "zeros", lambda x: x + torch.zeros(2, 3), rand(2, 3)
    yield "full", lambda x: x + torch.full((3,), 2.5), rand(2, 3)
    yield "full_like", lambda x: torch.full_like(x, 7) + x, ints(0, 4, 3)
    yield "new_ones", lambda x: x.new_ones((2, 2)) + x, rand(2, 2)
    yield "arange", lambda x: x + torch.arange(3), rand(2, 3)
    yield "arange_step", lambda x: x + torch.arange(5, -1, -2), ints(0, 4, 3)
    yield "arange_float", lambda x: x + torch.arange(0, 1, 0.3), rand(4)
    yield "linspace", lambda x: x + torch.linspace(-1, 2, 5), rand(5)
    yield "eye", lambda x: x + torch.eye(3), rand(3, 3)
    yield "tril", lambda x: torch.tril(x, -1), rand(3, 4)
    yield "triu", lambda x: torch.triu(x), rand(2, 3, 3)
    yield "triu_constant", lambda x: x + torch.triu(torch.full((3, 3), -INF), 1).exp(), rand(3, 3)
    yield "fill", lambda x: x.clone().fill_(3), rand(2, 3)


def indexing():
    yield "index", lambda x, i: x[i], rand(5, 3), ints(-5, 5, 4)
    yield "index_middle", lambda x, i: x[:, i], rand(2, 5, 3), ints(0, 5, 2, 2)
    yield "index_two", lambda x, i, j: x[i, j], rand(4, 5, 3), ints(0, 4, 6), ints(0, 5, 6)
    yield "index_two_later", lambda x, i, j: x[:, i, j], rand(2, 4, 5, 3), ints(0, 4, 3, 1), ints(0, 5, 2)
    yield "index_apart", lambda x, i, j: x[i, :, j], rand(4, 2, 5), ints(0, 4, 3), ints(0, 5, 3)
    yield "index_put", lambda x, i, v: x.index_put((i,), v), rand(5, 3), torch.tensor([0, 3]), rand(2, 3)
    yield "index_put_adds", lambda x, i, v: x.index_put((i,), v, accumulate=True), rand(5, 3), torch.tensor([1, 1, 4]), rand(3)
    yield "index_put_mask", lambda x, m: x.index_put((m,), torch.tensor(9.0)), rand(3, 4), bools(3, 4)
    yield "index_put_two", lambda x, i, j, v: x.index_put((i, j), v), rand(4, 5), torch.tensor([0, 3]), torch.tensor([1, 2]), rand(2)
    yield "index_select", lambda x, i: x.index_select(-1, i), rand(2, 5), ints(0, 5, 3)
    yield "index_add", lambda x, i, s: x.index_add(0, i, s, alpha=2), rand(5, 2), torch.tensor([0, 2, 2]), rand(3, 2)
    yield "embedding", lambda i, w: F.embedding(i, w), ints(0, 6, 2, 3), rand(6, 4)
    yield "gather", lambda x, i: torch.gather(x, 1, i), rand(3, 5), ints(0, 5, 2, 4)
    yield "take_along_dim", lambda x, i: torch.take_along_dim(x, i, 0), rand(3, 5), ints(0, 3, 1, 5)
    yield "scatter", lambda x, i, s: x.scatter(1, i, s), rand(3, 5), torch.tensor([[0, 2], [1, 4], [3, 0]]), rand(3, 4)
    yield "scatter_value", lambda x, i: x.scatter(0, i, 7.0), rand(3, 2), torch.tensor([[0, 2]])
    yield "scatter_add", lambda x, i, s: x.scatter_add(1, i, s), rand(2, 5), torch.tensor([[0, 0], [1, 4]]), rand(2, 2)
    yield "scatter_amax", lambda x, i, s: x.scatter_reduce(1, i, s, "amax"), rand(2, 5), torch.tensor([[0, 0], [1, 4]]), rand(2, 2)
    yield "select_scatter", lambda x, s: x.select_scatter(s, 1, -2), rand(2, 4), rand(2)
    yield "slice_scatter", lambda x, s: x.slice_scatter(s, 1, 1, 3), rand(2, 4), rand(2, 2)
    yield "slice_scatter_step", lambda x, s: x.slice_scatter(s, 0, 0, 5, 2), rand(5, 2), rand(3, 2)


def image_family():
    for mode in ("nearest", "nearest-exact", "bilinear", "bicubic"):
        corners = {} if "nearest" in mode else {"align_corners": False}
        yield mode + "_size", lambda x, m=mode, c=corners: F.interpolate(x, (7, 5), mode=m, **c), rand(1, 2, 4, 6)
        yield mode + "_factor", lambda x, m=mode, c=corners: F.interpolate(x, scale_factor=2, mode=m, **c), rand(1, 2, 4, 3)
    yield "bilinear_factor_uneven", lambda x: F.interpolate(x, scale_factor=1.7, mode="bilinear", recompute_scale_factor=False), rand(1, 2, 5, 3)
    yield "bilinear_corners", lambda x: F.interpolate(x, (7, 5), mode="bilinear", align_corners=True), rand(1, 2, 4, 6)
    yield "bicubic_corners", lambda x: F.interpolate(x, (7, 5), mode="bicubic", align_corners=True), rand(1, 2, 4, 6)
    yield "bilinear_antialias", lambda x: F.interpolate(x, (3, 4), mode="bilinear", antialias=True), rand(1, 2, 8, 9)
    yield "bicubic_antialias", lambda x: F.interpolate(x, (3, 4), mode="bicubic", antialias=True), rand(1, 2, 8, 9)
    yield "linear", lambda x: F.interpolate(x, 7, mode="linear"), rand(1, 2, 4)
    yield "trilinear", lambda x: F.interpolate(x, (3, 5, 4), mode="trilinear"), rand(1, 1, 2, 3, 4)
    yield "bilinear_to_one", lambda x: F.interpolate(x, (1, 1), mode="bilinear"), rand(1, 2, 4, 6)
    yield "pad", lambda x: F.pad(x, (1, 2, 0, 3), value=1.5), rand(2, 3, 4)
    yield "pad_negative", lambda x: F.pad(x, (-1, 2)), rand(2, 5)
    yield "pad_int", lambda x: F.pad(x, (1, 1), value=7), ints(0, 5, 2, 3)
    yield "pad_bool", lambda x: F.pad(x, (1, 1), value=True), bools(2, 3)
    yield "pad_reflect", lambda x: F.pad(x, (2, 1), mode="reflect"), rand(1, 2, 5)
    yield "pad_reflect2d", lambda x: F.pad(x, (2, 1, 1, 2), mode="reflect"), rand(1, 2, 5, 4)
    yield "pad_replicate", lambda x: F.pad(x, (2, 1), mode="replicate"), rand(1, 2, 5)
    yield "pad_circular", lambda x: F.pad(x, (2, 1), mode="circular"), rand(1, 2, 5)
    for mode in ("bilinear", "nearest", "bicubic"):
        yield "grid_" + mode, lambda x, g, m=mode: F.grid_sample(x, g, mode=m, align_corners=False), rand(1, 2, 4, 5), rand(1, 3, 4, 2) * 0.6
    yield "grid_border", lambda x, g: F.grid_sample(x, g, padding_mode="border", align_corners=True), rand(1, 2, 4, 5), rand(1, 3, 4, 2)
    yield "grid_reflection", lambda x, g: F.grid_sample(x, g, padding_mode="reflection", align_corners=False), rand(1, 2, 4, 5), rand(1, 3, 4, 2)
    yield "im2col", lambda x: F.unfold(x, (2, 3), 1, 1, 2), rand(1, 2, 5, 6)
    yield "col2im", lambda x: F.fold(x, (5, 6), (2, 3), 1, 1, 2), rand(1, 12, 9)


def recurrent():
    torch.manual_seed(3)
    lstm = torch.nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True).eval()
    gru = torch.nn.GRU(3, 4, 2).eval()
    rnn = torch.nn.RNN(3, 4, bias=False, nonlinearity="relu").eval()
    yield "lstm", lambda x: lstm(x)[0], rand(2, 5, 3)
    yield "lstm_state", lambda x: lstm(x)[1][1], rand(2, 5, 3)
    yield "gru", lambda x, h: gru(x, h)[0], rand(5, 2, 3), rand(2, 2, 4)
    yield "gru_state", lambda x: gru(x)[1], rand(5, 2, 3)
    yield "rnn", lambda x: rnn(x)[0], rand(5, 2, 3)


def written(make, *reads):
    """Writes to what `make` gives of a new tensor, and returns both: one tells what the other got of it."""
    def run(x):
        base = x.abs()
        for read in reads:
            base = read(base)
        other = make(base)
        other.mul_(3)
        return torch.cat([base.flatten(), other.flatten()])
    return run


def writes():
    turned = lambda x: x.transpose(0, 1)
    yield "reshape_packed", written(lambda x: x.reshape(-1)), rand(2, 3)
    yield "reshape_turned", written(lambda x: x.reshape(-1), turned), rand(2, 3)
    yield "reshape_turned_view", written(lambda x: x.reshape(3, 1, 2), turned), rand(2, 3)
    yield "reshape_of_part", written(lambda x: x[:, 1:].reshape(-1)), rand(3, 4)
    yield "reshape_of_rows", written(lambda x: x[1:].reshape(-1)[2:]), rand(3, 4)
    yield "flatten_packed", written(lambda x: x.flatten()), rand(2, 3)
    yield "flatten_turned", written(lambda x: x.flatten(), turned), rand(2, 3)
    yield "reshape_as", written(lambda x: x.reshape_as(torch.empty(6))), rand(2, 3)
    yield "contiguous_packed", written(lambda x: x.contiguous()), rand(2, 3)
    yield "contiguous_turned", written(lambda x: x.contiguous(), turned), rand(2, 3)
    yield "to_its_own_dtype", written(lambda x: x.to(torch.float32)), rand(2, 3)
    yield "to_a_copy", written(lambda x: x.to(torch.float32, copy=True)), rand(2, 3)
    yield "dropout_in_evaluation", written(lambda x: F.dropout(x, 0.5, False)), rand(2, 3)
    yield "base_behind_reshape", lambda x: [y := x.abs(), flat := y.reshape(-1), y.mul_(3), flat + 0][-1], rand(2, 3)


FAMILIES = {"pointwise": pointwise, "shape": shape, "convolution": convolution, "pooling": pooling, "normalization": normalization,
            "reduction": reduction, "linear": linear, "creation": creation, "indexing": indexing, "image": image_family,
            "recurrent": recurrent, "writes": writes}


class Cases(torch.nn.Module):
    def __init__(self, cases):
        super().__init__()
        self.functions = [case[1] for case in cases]
        self.counts = [len(case) - 2 for case in cases]
        self.kept = torch.nn.ModuleList([cell.cell_contents for case in cases for cell in (case[1].__closure__ or ())
                                         if isinstance(cell.cell_contents, torch.nn.Module)])

    def forward(self, *inputs):
        outputs, at = [], 0
        for function, count in zip(self.functions, self.counts):
            outputs.append(function(*inputs[at : at + count]))
            at += count
        return tuple(outputs)


def slim(archive: bytes) -> bytes:
    """Without sample inputs, and without the parts of stack traces that say where this script ran."""
    kept = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(kept, "w") as target:
        for entry in source.infolist():
            content = source.read(entry)
            if "sample_inputs" in entry.filename or "/.data/" in entry.filename:
                continue
            if entry.filename.endswith("models/model.json"):
                program = json.loads(content)
                for node in program["graph_module"]["graph"]["nodes"]:
                    node["metadata"] = {}
                content = json.dumps(program, separators=(",", ":")).encode()
            target.writestr(zipfile.ZipInfo(entry.filename), content)
    return kept.getvalue()


def write(family: str) -> None:
    cases = list(FAMILIES[family]())
    inputs = tuple(tensor for case in cases for tensor in case[2:])
    module = Cases(cases).eval()
    with torch.no_grad():
        expected = module(*inputs)
        program = torch.export.export(module, inputs, strict=False)
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    arrays = {f"in_{i}": tensor.numpy() for i, tensor in enumerate(inputs)}
    arrays |= {f"out_{i}": tensor.detach().numpy() for i, tensor in enumerate(expected)}
    OUTPUT.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(OUTPUT / f"{family}.npz", **arrays, cases=np.array([case[0] for case in cases]),
                        archive=np.frombuffer(slim(buffer.getvalue()), np.uint8), torch=torch.__version__)
    print(f"{family}: {len(cases)} cases, {(OUTPUT / f'{family}.npz').stat().st_size} bytes")


def compare_schemas(path: str) -> int:
    """Names, order and defaults of the table's parameters against PyTorch's."""
    wrong = 0
    for operator in json.loads(pathlib.Path(path).read_text().splitlines()[-1])["operators"]:
        namespace, name, *overload = operator["name"].split(".")
        if namespace != "aten":
            continue
        schema = getattr(getattr(torch.ops.aten, name), overload[0])._schema
        theirs = [(each.name, each.has_default_value()) for each in schema.arguments]
        ours = [(each["name"], each["has_default"]) for each in operator["parameters"]]
        if ours != theirs:
            wrong += 1
            print(f"{operator['name']}: the table has {ours}, PyTorch {theirs}")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("families", nargs="*", default=list(FAMILIES))
    parser.add_argument("--schemas", help="what `slipway convert --operators --json` printed")
    arguments = parser.parse_args()
    if arguments.schemas:
        return 1 if compare_schemas(arguments.schemas) else 0
    for family in arguments.families:
        write(family)
    return 0


if __name__ == "__main__":
    sys.exit(main())
