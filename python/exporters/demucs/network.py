"""HTDemucs as an ONNX graph, written node by node from a checkpoint's weights.

Everything runs on four dimensions, (B, C, F, T) with F = 1 in the time branch, up to the transformer's (B, tokens, C).
Three layouts of the same network:

portable  standard operators only, for compilers of NPUs: every norm is an explicit subtraction and scale.
cpu       for ONNX Runtime's CPU provider: fused attention (com.microsoft.MultiHeadAttention), and the wide norm of
          each residual branch folded into the convolution before it (see `_folded_residual`).
openvino  the folded norms of `cpu` with the standard operators of `portable`, and means that are reductions: OpenVINO has
          fast ones, lays every product's operands out anew, and promises no equal bits between batches anyway.

Norms over long rows reduce in stages of a few hundred values: one reduction over many floats loses digits. They
are products with equal weights, the last one a 1x1 convolution: ONNX Runtime's ReduceMean adds in an order that depends on
where a row lies in memory and on how many there are, and a segment's stems would depend on the batch it came in.
"""

import dataclasses
import math

import numpy as np
import onnx

from python.exporters.common.half import to_half
from python.exporters.demucs import spectral
from python.exporters.demucs.graph_builder import GraphBuilder

NORM_EPSILON = 1e-5
INPUT_EPSILON = 1e-5
# ONNX Runtime adds a row up in single precision: 344 000 values, half of them silence, were measured 4e-5 off.
LONG_ROW = 1024


@dataclasses.dataclass(frozen=True)
class Architecture:
    """What of HTDemucs' arguments the graph depends on."""

    sources: tuple[str, ...]
    channels: int
    growth: int
    depth: int
    kernel: int
    stride: int
    context: int
    dconv_mode: int
    dconv_depth: int
    bottom_channels: int
    layers: int
    heads: int
    freq_emb: float
    emb_scale: float
    max_period: float
    weight_pos_embed: float
    cross_first: bool

    def channels_at(self, level: int) -> int:
        return self.channels * self.growth**level


class Network:
    """Writes the graph. `weights` are the state dict as float64 arrays, so that folding costs no accuracy."""

    def __init__(self, architecture: Architecture, weights: dict[str, np.ndarray], samples: int, layout: str):
        self.a = architecture
        self.w = weights
        self.samples = samples
        self.frames = spectral.frames_of(samples)
        self.layout = layout
        self.b = GraphBuilder("htdemucs")

    def build(self, batch, stft: str, istft: str):
        b, a = self.b, self.a
        sources = len(a.sources)
        mix = b.input("input", [batch, 2, self.samples])
        if stft == "inside":
            x = spectral.spectrogram(b, mix, self.samples)
        else:
            x = b.input("x", [batch, 4, spectral.BINS, self.frames])
        z, xt = self._network(x, b.reshape(mix, -1, 2, 1, self.samples))
        xt = b.reshape(xt, -1, sources, 2, self.samples)
        if istft == "inside":
            xt = b.op("Add", xt, spectral.waveform(b, z, sources, self.samples), name="sum")
        else:
            z = b.reshape(z, -1, sources, 4, spectral.BINS, self.frames)
            b.output(z, "output", [batch, sources, 4, spectral.BINS, self.frames])
        b.output(xt, "add_67", [batch, sources, 2, self.samples])

    # --- the whole network -------------------------------------------------------------------------------------------

    def _network(self, x: str, xt: str) -> tuple[str, str]:
        b, a = self.b, self.a
        x, mean, std = self._normalize_input(x, 4, spectral.BINS, self.frames, "normalize")
        xt, mean_t, std_t = self._normalize_input(xt, 2, 1, self.samples, "normalize_t")

        saved, saved_t, lengths_t = [], [], []
        bins, length = spectral.BINS, self.samples
        for level in range(a.depth):
            lengths_t.append(length)
            with b.scope(f"tencoder.{level}"):
                xt, length = self._encode(xt, f"tencoder.{level}", level, length, axis=3)
            saved_t.append(xt)
            with b.scope(f"encoder.{level}"):
                x, bins = self._encode(x, f"encoder.{level}", level, bins, axis=2)
                if level == 0 and a.freq_emb:
                    table = self.w["freq_emb.embedding.weight"] * a.emb_scale * a.freq_emb  # (F, C)
                    x = b.op("Add", x, b.constant(table.T[None, :, :, None], "freq_emb"), name="freq_emb")
            saved.append(x)

        if a.layers:
            x, xt = self._transformer(x, xt, bins, length)

        for level in reversed(range(a.depth)):
            k = a.depth - 1 - level
            with b.scope(f"decoder.{k}"):
                bins *= a.stride
                x = self._decode(x, saved.pop(), f"decoder.{k}", level, bins, axis=2)
            with b.scope(f"tdecoder.{k}"):
                xt = self._decode(xt, saved_t.pop(), f"tdecoder.{k}", level, lengths_t.pop(), axis=3)

        x = b.op("Add", b.op("Mul", x, std, name="denormalize/scale"), mean, name="denormalize/shift")
        xt = b.op("Add", b.op("Mul", xt, std_t, name="denormalize_t/scale"), mean_t, name="denormalize_t/shift")
        return x, xt

    def _normalize_input(self, x: str, channels: int, rows: int, width: int, scope: str) -> tuple[str, str, str]:
        """(x - mean) / (1e-5 + std) over all but the batch; the unbiased deviation, as torch.std."""
        b = self.b
        count = channels * rows * width

        def mean_of(y: str) -> str:
            y = self._mean_over_time(y, channels, width)
            if rows > 1:
                y = b.op("Transpose", self._mean_of_rows(b.op("Transpose", y, perm=[0, 1, 3, 2]), rows), perm=[0, 1, 3, 2])
            return self._mean_over_channels(y, channels)

        with b.scope(scope):
            mean = mean_of(x)
            centred = b.op("Sub", x, mean)
            variance = mean_of(b.op("Mul", centred, centred))
            std = b.op("Sqrt", b.op("Mul", variance, b.scalar(count / (count - 1))))
            return b.op("Div", centred, b.op("Add", std, b.scalar(INPUT_EPSILON))), mean, std

    def _mean_of_rows(self, x: str, width: int) -> str:
        if self.layout == "openvino":
            return self.b.op("ReduceMean", x, axes=[-1], keepdims=1, name="mean")
        return self.b.op("MatMul", x, self.b.constant(np.full((width, 1), 1 / width), "equal_weights"), name="mean")

    def _mean_over_time(self, x: str, channels: int, width: int) -> str:
        """The mean over the last axis, (B, C, F, T) -> (B, C, F, 1); long rows, where F is 1, in two stages."""
        b = self.b
        if width <= LONG_ROW:
            return self._mean_of_rows(x, width)
        rows = max(k for k in range(1, math.isqrt(width) + 1) if width % k == 0)
        padded = width
        if width // rows > LONG_ROW:
            rows = math.isqrt(width) + 1
            padded = -(-width // rows) * rows
            x = b.op("Pad", x, b.integers(0, 0, 0, 0, 0, 0, 0, padded - width), name="fill")
        x = b.reshape(x, -1, channels, rows, padded // rows)
        x = self._mean_of_rows(x, padded // rows)
        x = self._mean_over_channels(b.op("Transpose", x, perm=[0, 2, 1, 3]), rows)  # (B, 1, C, 1)
        x = b.op("Transpose", x, perm=[0, 2, 1, 3])
        return x if padded == width else b.op("Mul", x, b.scalar(padded / width), name="without_fill")

    def _mean_over_channels(self, x: str, channels: int) -> str:
        if self.layout == "openvino":
            return self.b.op("ReduceMean", x, axes=[1], keepdims=1, name="mean_over_channels")
        return self._conv(x, np.full((1, channels, 1, 1), 1 / channels), np.zeros(1), "mean_over_channels")

    def _row_mean(self, x: str, channels: int, width: int) -> str:
        """(B, C, F, T) -> (B, 1, F, 1)"""
        return self._mean_over_channels(self._mean_over_time(x, channels, width), channels)

    def _mean_of_tokens(self, x: str, tokens: int) -> str:
        """The mean over tokens and channels, (B, T, C) -> (B, 1, 1)."""
        b = self.b
        x = self._mean_of_rows(x, self.a.bottom_channels or self.a.channels_at(self.a.depth - 1))
        rows = max(k for k in range(1, math.isqrt(tokens) + 1) if tokens % k == 0)
        x = self._mean_of_rows(b.reshape(x, -1, rows, 1, tokens // rows), tokens // rows)
        return b.reshape(self._mean_over_channels(x, rows), -1, 1, 1)

    def _inverse_deviation(self, variance: str) -> str:
        b = self.b
        return b.op("Div", b.scalar(1.0), b.op("Sqrt", b.op("Add", variance, b.scalar(NORM_EPSILON))))

    def _gelu(self, x: str) -> str:
        """0.5 x (1 + erf(x / sqrt 2)), in the form ONNX Runtime fuses."""
        b = self.b
        erf = b.op("Erf", b.op("Div", x, b.scalar(math.sqrt(2.0)), name="gelu/div"), name="gelu/erf")
        product = b.op("Mul", x, b.op("Add", erf, b.scalar(1.0), name="gelu/add"), name="gelu/mul")
        return b.op("Mul", product, b.scalar(0.5), name="gelu/half")

    def _conv(self, x: str, weight: np.ndarray, bias: np.ndarray, name: str, strides=(1, 1), pads=(0, 0, 0, 0), dilations=(1, 1)) -> str:
        b = self.b
        return b.op("Conv", x, b.constant(weight, f"{name}.weight"), b.constant(bias, f"{name}.bias"), name=name,
                    kernel_shape=list(weight.shape[2:]), strides=list(strides), pads=list(pads), dilations=list(dilations))

    def _gated_conv(self, x: str, weight: np.ndarray, bias: np.ndarray, name: str, pads=(0, 0, 0, 0)) -> str:
        """glu(conv(x)): two convolutions, so that the gate's sigmoid can be fused with its own."""
        half = weight.shape[0] // 2
        value = self._conv(x, weight[:half], bias[:half], f"{name}.value", pads=pads)
        gate = self._conv(x, weight[half:], bias[half:], f"{name}.gate", pads=pads)
        return self.b.op("Mul", value, self.b.op("Sigmoid", gate, name=f"{name}.sigmoid"), name=f"{name}.glu")

    def _kernel(self, name: str, axis: int) -> np.ndarray:
        """A convolution's weight with its kernel laid along `axis`; torch keeps 1-D kernels of the time branch as (O, I, K)."""
        weight = self.w[name]
        if weight.ndim == 3:
            weight = weight[:, :, None, :] if axis == 3 else weight[:, :, :, None]
        return weight

    # --- encoder and decoder layers ----------------------------------------------------------------------------------

    def _encode(self, x: str, prefix: str, level: int, length: int, axis: int) -> tuple[str, int]:
        """HEncLayer: convolution, GELU, residual branches, rewrite with GLU."""
        a = self.a
        pad = a.kernel // 4
        # The time branch is filled up to a multiple of the stride.
        extra = -length % a.stride
        left = (length + extra + 2 * pad - a.kernel) // a.stride + 1
        pads = [0, 0, 0, 0]
        pads[axis - 2], pads[axis] = pad, pad + extra
        strides = [a.stride, 1] if axis == 2 else [1, a.stride]
        y = self._conv(x, self._kernel(f"{prefix}.conv.weight", axis), self.w[f"{prefix}.conv.bias"], "conv", strides, pads)
        y = self._gelu(y)
        if a.dconv_mode & 1:
            y = self._residuals(y, f"{prefix}.dconv", self.frames if axis == 2 else left)
        y = self._gated_conv(y, self._kernel(f"{prefix}.rewrite.weight", 3), self.w[f"{prefix}.rewrite.bias"], "rewrite")
        return y, left

    def _decode(self, x: str, skip: str, prefix: str, level: int, length: int, axis: int) -> str:
        """HDecLayer: skip, rewrite with GLU, residual branches, transposed convolution cut to `length`, GELU."""
        a, b = self.a, self.b
        x = b.op("Add", x, skip, name="skip")
        pads = [a.context, a.context, a.context, a.context] if axis == 2 else [0, a.context, 0, a.context]
        y = self._gated_conv(x, self._kernel(f"{prefix}.rewrite.weight", 3), self.w[f"{prefix}.rewrite.bias"], "rewrite", pads)
        if a.dconv_mode & 2:
            y = self._residuals(y, f"{prefix}.dconv", self.frames if axis == 2 else -(-length // a.stride))
        z = self._upsample(y, prefix, length, axis)
        return z if level == 0 else self._gelu(z)

    def _upsample(self, y: str, prefix: str, length: int, axis: int) -> str:
        """The transposed convolution without its first kernel/4 values, `length` long."""
        a, b = self.a, self.b
        weight, bias = self._kernel(f"{prefix}.conv_tr.weight", axis), self.w[f"{prefix}.conv_tr.bias"]
        pad = a.kernel // 4
        entered = -(-length // a.stride)
        end = (entered - 1) * a.stride + a.kernel - pad - length
        pads = [0, 0, 0, 0]
        pads[axis - 2], pads[axis] = pad, end
        strides = [a.stride, 1] if axis == 2 else [1, a.stride]
        return b.op("ConvTranspose", y, b.constant(weight, "conv_tr.weight"), b.constant(bias, "conv_tr.bias"), name="conv_tr",
                    kernel_shape=list(weight.shape[2:]), strides=strides, pads=pads)

    # --- residual branches -------------------------------------------------------------------------------------------

    def _residuals(self, x: str, prefix: str, width: int) -> str:
        for d in range(self.a.dconv_depth):
            with self.b.scope(f"dconv.{d}"):
                x = self._residual(x, f"{prefix}.layers.{d}", 2**d, width)
        return x

    def _residual(self, x: str, prefix: str, dilation: int, width: int) -> str:
        """x + scale * glu(norm(W2 gelu(norm(W1 * x)))); norms are over (C, T) of each frequency row."""
        b, w = self.b, self.w
        h = self._conv(x, self._kernel(f"{prefix}.0.weight", 3), w[f"{prefix}.0.bias"], "conv1",
                       pads=(0, dilation, 0, dilation), dilations=(1, dilation))
        with b.scope("norm1"):
            h = self._row_norm(h, width, w[f"{prefix}.1.weight"], w[f"{prefix}.1.bias"])
        h = self._gelu(h)
        weight, bias = w[f"{prefix}.3.weight"][:, :, 0], w[f"{prefix}.3.bias"]
        gamma, beta, scale = w[f"{prefix}.4.weight"], w[f"{prefix}.4.bias"], w[f"{prefix}.6.scale"]
        if self.layout != "portable":
            y = self._folded_residual(h, width, weight, bias, gamma, beta, scale)
        else:
            half = len(scale)
            z = self._conv(h, weight[:, :, None, None], bias, "conv2")
            with b.scope("norm2"):
                z = self._row_norm(z, width, gamma, beta)
            value, gate = b.op("Split", z, b.integers(half, half), axis=1, outputs=2)
            y = b.op("Mul", value, b.op("Sigmoid", gate), name="glu")
            y = b.op("Mul", y, b.constant(scale[None, :, None, None], "scale"), name="scale")
        return b.op("Add", x, y, name="residual")

    def _row_norm(self, x: str, width: int, gamma: np.ndarray, beta: np.ndarray) -> str:
        """GroupNorm(1, C) of each row: mean and deviation over C and T for every (B, F)."""
        b = self.b
        centred = b.op("Sub", x, self._row_mean(x, len(gamma), width))
        inverse = self._inverse_deviation(self._row_mean(b.op("Mul", centred, centred), len(gamma), width))
        factor = b.op("Mul", inverse, b.constant(gamma[None, :, None, None], "gamma"))
        return b.op("Add", b.op("Mul", centred, factor), b.constant(beta[None, :, None, None], "beta"))

    def _folded_residual(self, h: str, width: int, weight, bias, gamma, beta, scale) -> str:
        """The same as conv, norm, GLU and scale, without a pass over the wide tensor to normalise it.

        With z = W h + b, the mean and the variance of z over (C, T) follow from the means m and the covariance G of
        the narrow h: mean = w̄ m + b̄ and variance = tr(G WᵀW)/C + |A m + b - b̄|²/C with A = W - w̄. Then
        norm(z) = γ W (h/σ) + γ b (1/σ) - γ (mean/σ) + β is one convolution over h/σ and two more channels, 1/σ and
        mean/σ, constant in time.
        """
        b = self.b
        channels, hidden = weight.shape
        with b.scope("norm2"):
            means = self._mean_over_time(h, hidden, width)  # (B, H, F, 1)
            rows = b.op("Transpose", b.op("Sub", h, means), perm=[0, 2, 1, 3])  # (B, F, H, T)
            gram = b.op("MatMul", rows, b.op("Transpose", rows, perm=[0, 1, 3, 2]))  # (B, F, H, H)
            gram = b.op("Transpose", b.reshape(gram, 0, 0, hidden * hidden, 1), perm=[0, 2, 1, 3])  # (B, HH, F, 1)
            spread = (weight.T @ weight / (channels * width)).reshape(1, hidden * hidden, 1, 1)
            within = self._conv(gram, spread, np.zeros(1), "within")  # (B, 1, F, 1)
            mean = self._conv(means, weight.mean(axis=0)[None, :, None, None], bias.mean()[None], "mean_of_z")
            offsets = self._conv(means, (weight - weight.mean(axis=0))[:, :, None, None], bias - bias.mean(), "offsets")
            between = self._mean_over_channels(b.op("Mul", offsets, offsets), channels)
            inverse = self._inverse_deviation(b.op("Add", within, between))  # (B, 1, F, 1)
            pair = b.op("Concat", inverse, b.op("Mul", mean, inverse), axis=1)  # (B, 2, F, 1)
            pair = b.op("Mul", pair, b.constant(np.ones((1, 1, 1, width)), "ones"))  # (B, 2, F, T)
            u = b.op("Concat", b.op("Mul", h, inverse), pair, axis=1)
        columns = np.concatenate([weight, bias[:, None], -np.ones((channels, 1))], axis=1) * gamma[:, None]
        half = channels // 2
        value = self._conv(u, (columns[:half] * scale[:, None])[:, :, None, None], beta[:half] * scale, "conv2.value")
        gate = self._conv(u, columns[half:][:, :, None, None], beta[half:], "conv2.gate")
        return b.op("Mul", value, b.op("Sigmoid", gate, name="conv2.sigmoid"), name="glu")

    # --- the transformer ---------------------------------------------------------------------------------------------

    def _transformer(self, x: str, xt: str, bins: int, length: int) -> tuple[str, str]:
        """CrossTransformerEncoder between the 1x1 convolutions that widen and narrow it."""
        a, b, w = self.a, self.b, self.w
        width = a.channels_at(a.depth - 1)
        tokens = {"": self.frames * bins, "_t": length}
        if a.bottom_channels:
            x, xt = (self._conv(each, self._kernel(f"channel_upsampler{s}.weight", 3), w[f"channel_upsampler{s}.bias"],
                                f"channel_upsampler{s}") for each, s in ((x, ""), (xt, "_t")))
        c = a.bottom_channels or width
        with b.scope("crosstransformer"):
            # "b c fr t1 -> b (t1 fr) c"
            x = b.reshape(b.op("Transpose", x, perm=[0, 3, 2, 1]), -1, tokens[""], c)
            xt = b.reshape(b.op("Transpose", xt, perm=[0, 3, 2, 1]), -1, tokens["_t"], c)
            x = self._layer_norm(x, "crosstransformer.norm_in")
            xt = self._layer_norm(xt, "crosstransformer.norm_in_t")
            x = b.op("Add", x, b.constant(a.weight_pos_embed * _sines_2d(c, bins, self.frames, a.max_period), "position"))
            xt = b.op("Add", xt, b.constant(a.weight_pos_embed * _sines(length, c, a.max_period), "position_t"))
            for k in range(a.layers):
                if k % 2 == (1 if a.cross_first else 0):
                    x, xt = (self._layer(each, each, f"layers{s}.{k}", "self_attn", tokens[s], tokens[s], c)
                             for each, s in ((x, ""), (xt, "_t")))
                else:
                    x, xt = (self._layer(x, xt, f"layers.{k}", "cross_attn", tokens[""], tokens["_t"], c),
                             self._layer(xt, x, f"layers_t.{k}", "cross_attn", tokens["_t"], tokens[""], c))
            x = b.op("Transpose", b.reshape(x, -1, self.frames, bins, c), perm=[0, 3, 2, 1])
            xt = b.op("Transpose", b.reshape(xt, -1, length, 1, c), perm=[0, 3, 2, 1])
        if a.bottom_channels:
            x, xt = (self._conv(each, self._kernel(f"channel_downsampler{s}.weight", 3), w[f"channel_downsampler{s}.bias"],
                                f"channel_downsampler{s}") for each, s in ((x, ""), (xt, "_t")))
        return x, xt

    def _layer_norm(self, x: str, prefix: str) -> str:
        b, w = self.b, self.w
        return b.op("LayerNormalization", x, b.constant(w[f"{prefix}.weight"], "norm.weight"),
                    b.constant(w[f"{prefix}.bias"], "norm.bias"), axis=-1, epsilon=NORM_EPSILON, name="layernorm")

    def _linear(self, x: str, weight: np.ndarray, bias: np.ndarray, name: str) -> str:
        b = self.b
        return b.op("Add", b.op("MatMul", x, b.constant(weight.T, f"{name}.weight"), name=name),
                    b.constant(bias, f"{name}.bias"), name=f"{name}.add_bias")

    def _layer(self, q: str, k: str, name: str, attention: str, q_tokens: int, k_tokens: int, c: int) -> str:
        """One transformer layer (norm first): attention, feed forward, then a norm over all tokens and channels."""
        b, w, p = self.b, self.w, f"crosstransformer.{name}"
        with b.scope(name):
            normed = self._layer_norm(q, f"{p}.norm1")
            keys = normed if attention == "self_attn" else self._layer_norm(k, f"{p}.norm2")
            scale = w[f"{p}.gamma_1.scale"]
            attended = self._attention(normed, keys, f"{p}.{attention}", q_tokens, k_tokens, c)
            out = f"{p}.{attention}.out_proj"
            attended = self._linear(attended, w[f"{out}.weight"] * scale[:, None], w[f"{out}.bias"] * scale, "out_proj")
            x = b.op("Add", q, attended, name="residual_1")
            h = self._layer_norm(x, f"{p}.norm{2 if attention == 'self_attn' else 3}")
            h = self._gelu(self._linear(h, w[f"{p}.linear1.weight"], w[f"{p}.linear1.bias"], "linear1"))
            scale = w[f"{p}.gamma_2.scale"]
            h = self._linear(h, w[f"{p}.linear2.weight"] * scale[:, None], w[f"{p}.linear2.bias"] * scale, "linear2")
            x = b.op("Add", x, h, name="residual_2")
            with b.scope("norm_out"):
                centred = b.op("Sub", x, self._mean_of_tokens(x, q_tokens))
                inverse = self._inverse_deviation(self._mean_of_tokens(b.op("Mul", centred, centred), q_tokens))
                factor = b.op("Mul", inverse, b.constant(w[f"{p}.norm_out.weight"][None, None], "gamma"))
                return b.op("Add", b.op("Mul", centred, factor), b.constant(w[f"{p}.norm_out.bias"][None, None], "beta"))

    def _attention(self, q: str, k: str, prefix: str, q_tokens: int, k_tokens: int, c: int) -> str:
        b, heads = self.b, self.a.heads
        size = c // heads
        weight, bias = self.w[f"{prefix}.in_proj_weight"], self.w[f"{prefix}.in_proj_bias"]
        parts = [(q, "q", q_tokens, size**-0.5), (k, "k", k_tokens, 1.0), (k, "v", k_tokens, 1.0)]
        projected = []
        for n, (source, letter, tokens, factor) in enumerate(parts):
            rows = slice(n * c, (n + 1) * c)
            y = self._linear(source, weight[rows] * factor, bias[rows] * factor, letter)
            if self.layout != "cpu":
                # (B, heads, tokens, size); keys transposed for the product.
                y = b.op("Transpose", b.reshape(y, -1, tokens, heads, size), perm=[0, 2, 3, 1] if letter == "k" else [0, 2, 1, 3])
            projected.append(y)
        if self.layout == "cpu":
            return b.op("MultiHeadAttention", *projected, domain="com.microsoft", name="attention", num_heads=heads, scale=1.0)
        scores = b.op("Softmax", b.op("MatMul", projected[0], projected[1], name="scores"), axis=-1)
        mixed = b.op("MatMul", scores, projected[2], name="mix")
        return b.reshape(b.op("Transpose", mixed, perm=[0, 2, 1, 3]), -1, q_tokens, c)


def _sines(length: int, c: int, max_period: float) -> np.ndarray:
    """create_sin_embedding, (1, length, C)."""
    half = c // 2
    # The reference computes phases in single precision.
    phase = np.arange(length)[:, None] / (np.float64(max_period) ** (np.arange(half) / (half - 1)))
    return np.concatenate([np.cos(phase), np.sin(phase)], axis=1)[None]


def _sines_2d(c: int, bins: int, frames: int, max_period: float) -> np.ndarray:
    """create_2d_sin_embedding laid out as "b (t1 fr) c", (1, frames * bins, C): even channels sines, odd ones cosines;
    the first half of the channels is of time, the second of frequency."""
    half = c // 2
    factor = np.exp(np.arange(0, half, 2) * -(math.log(max_period) / half))

    def waves(count: int) -> np.ndarray:
        phase = np.arange(count)[:, None] * factor
        return np.stack([np.sin(phase), np.cos(phase)], axis=2).reshape(count, half)

    table = np.empty((frames, bins, c))
    table[:, :, :half] = waves(frames)[:, None, :]
    table[:, :, half:] = waves(bins)[None, :, :]
    return table.reshape(1, frames * bins, c)


def graph_of(architecture: Architecture, weights: dict[str, np.ndarray], samples: int, options) -> onnx.ModelProto:
    """The graph in the form that the exporter's options name; weights as Network takes them."""
    network = Network(architecture, weights, samples, options.layout)
    network.build("batch" if options.batch == "dynamic" else int(options.batch), options.stft, options.istft)
    proto = network.b.model(f"HTDemucs, segments of {samples} samples, layout {options.layout}")
    if options.fp16:
        # Means, variances and square roots of long rows leave half precision's range.
        proto = to_half(proto, lambda node: any(part.startswith("norm") for part in node.name.split("/")[:-1]))
    return proto


def tolerance_of(options) -> float:
    """Of full scale. Measured: 1e-6 for float32 over 7.8 s; half precision carries three digits."""
    return 2e-2 if options.fp16 else 1e-5
