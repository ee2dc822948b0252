"""Writes the small goldens of face_det_lite: `python -m python.reference.face_det_lite.golden [FOLDER]`.

Images and heads are generated, seeded. Interpolation and quantisation in `preprocess.npz` come from ONNX Runtime's Resize
and QuantizeLinear, not from the NumPy reading, which is checked against them here.
"""

from __future__ import annotations

import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

from python.reference.face_det_lite import constants, postprocess, preprocess

WIDTH, HEIGHT = 64, 48  # of the input in the goldens: the rules do not know 640×480

# Name, image size (w, h), channel, fit, axes, stored dtype with scale and zero point.
PRE_CASES = [
    ("same_size_luma", (64, 48), "luma", "letterbox", "nchw", None),
    ("same_size_blue", (64, 48), "blue", "letterbox", "nchw", None),
    ("wide_halved_luma", (128, 72), "luma", "letterbox", "nchw", None),
    ("tall_luma", (50, 121), "luma", "letterbox", "nchw", None),
    ("odd_padding_rgb", (77, 53), "rgb", "letterbox", "nchw", None),
    ("odd_padding_rgb_last", (77, 53), "rgb", "letterbox", "nhwc", None),
    ("enlarged_blue", (13, 9), "blue", "letterbox", "nchw", None),
    ("shrunk_far_luma", (211, 190), "luma", "letterbox", "nchw", None),
    ("stretched_luma", (91, 31), "luma", "stretch", "nchw", None),
    ("one_pixel_rgb", (1, 1), "rgb", "letterbox", "nchw", None),
    ("one_row_luma", (300, 1), "luma", "letterbox", "nchw", None),
    ("uint8_luma", (100, 60), "luma", "letterbox", "nchw", (np.uint8, 1 / 255, 0)),
    ("int8_luma", (100, 60), "luma", "letterbox", "nchw", (np.int8, 0.0041, -128)),
    ("uint16_rgb_last", (70, 50), "rgb", "letterbox", "nhwc", (np.uint16, 1 / 65535, 7)),
    ("saturating_int8_blue", (70, 50), "blue", "stretch", "nchw", (np.int8, 0.002, -100)),
]


def sample_image(width: int, height: int, seed: int) -> np.ndarray:
    """Smooth shapes and some noise, uint8 [H, W, 3]."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / max(width, height)
    planes = [np.sin(7 * x + 5 * c) * np.cos(9 * y - c) * 90 + 128 for c in range(3)]
    return np.clip(np.stack(planes, axis=2) + rng.normal(0, 20, (height, width, 3)), 0, 255).astype(np.uint8)


def run_operator(op: str, inputs: dict[str, np.ndarray], output_type: int, **attributes) -> np.ndarray:
    """One operator through ONNX Runtime."""
    graph = helper.make_graph(
        [helper.make_node(op, [name if name in inputs else "" for name in _input_names(op)], ["out"], **attributes)], op,
        [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
         for name, value in inputs.items()],
        [helper.make_tensor_value_info("out", output_type, None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, inputs)[0]


def _input_names(op: str) -> list[str]:
    return {"Resize": ["x", "roi", "scales", "sizes"], "QuantizeLinear": ["x", "scale", "zero_point"]}[op]


def resized(values: np.ndarray, width: int, height: int) -> np.ndarray:
    """float32 [H, W, C] by ONNX Runtime's Resize."""
    stacked = np.ascontiguousarray(values.transpose(2, 0, 1))[None]
    sizes = np.array([1, stacked.shape[1], height, width], np.int64)
    return run_operator("Resize", {"x": stacked, "sizes": sizes}, TensorProto.FLOAT, mode="linear",
                        coordinate_transformation_mode="half_pixel", antialias=0)[0].transpose(1, 2, 0)


def expected_tensor(pixels: np.ndarray, channel: str, fit: str) -> np.ndarray:
    """[H, W, C] in 0 … 1."""
    place = preprocess.place(pixels.shape[1], pixels.shape[0], WIDTH, HEIGHT, fit)
    values = preprocess.choose_channel(pixels, channel)
    tensor = np.zeros((HEIGHT, WIDTH, values.shape[2]), np.float32)
    tensor[place.pad_top : place.pad_top + place.inner_height, place.pad_left : place.pad_left + place.inner_width] = resized(
        values, place.inner_width, place.inner_height)
    reading, _ = preprocess.image_to_tensor(pixels, channel, fit, WIDTH, HEIGHT)
    difference = np.abs(reading[0].transpose(1, 2, 0) - tensor).max()
    assert difference < 1e-5, f"the NumPy reading is {difference} from ONNX Runtime's Resize"
    return tensor


def write_preprocess(folder: pathlib.Path) -> None:
    arrays: dict[str, np.ndarray] = {}
    cases = []
    for seed, (name, (width, height), channel, fit, layout, stored) in enumerate(PRE_CASES):
        pixels = sample_image(width, height, seed)
        tensor = expected_tensor(pixels, channel, fit)
        if layout == "nchw":
            tensor = np.ascontiguousarray(tensor.transpose(2, 0, 1))
        case = {"name": name, "channel": channel, "fit": fit, "layout": layout, "dtype": "float32"}
        if stored:
            dtype, scale, zero_point = stored
            case |= {"dtype": np.dtype(dtype).name, "scale": float(np.float32(scale)), "zero_point": zero_point}
            quantised = run_operator(
                "QuantizeLinear", {"x": tensor, "scale": np.array(scale, np.float32), "zero_point": np.array(zero_point, dtype)},
                helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))
            assert np.array_equal(quantised, preprocess.quantize(tensor, scale, zero_point, dtype)), name
            tensor = quantised
        arrays[f"{name}.picture"] = pixels
        arrays[f"{name}.tensor"] = tensor[None]
        cases.append(case)
    np.savez_compressed(folder / "preprocess.npz", **arrays)
    (folder / "preprocess.json").write_text(json.dumps({"width": WIDTH, "height": HEIGHT, "cases": cases}, indent=1) + "\n")


def heads(seed: int, height: int, width: int, faces: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Heads like the network's: a few bumps in a flat heatmap, boxes and points around them, some at the border."""
    rng = np.random.default_rng(seed)
    heatmap = rng.normal(-6, 0.6, (1, 1, height, width)).astype(np.float32)
    box = rng.uniform(0.3, 6, (1, 4, height, width)).astype(np.float32)
    landmark = rng.normal(0, 3, (1, 10, height, width)).astype(np.float32)
    for k in range(faces):
        y, x = rng.integers(0, height), rng.integers(0, width)
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                if 0 <= y + dy < height and 0 <= x + dx < width:
                    heatmap[0, 0, y + dy, x + dx] = rng.uniform(-0.5, 3) - 0.4 * (abs(dy) + abs(dx))
        if k % 4 == 3:  # a plateau: two neighbours with the same score are both peaks
            heatmap[0, 0, y, min(x + 1, width - 1)] = heatmap[0, 0, y, x]
        if k % 5 == 4:  # corners the wrong way round
            box[0, :, y, x] *= -1
    return heatmap, box, landmark


POST_CASES = [
    # Name, seed, heatmap (h, w), faces, image (w, h), fit, IoU limit, stored as uint8
    ("same_size", 1, (60, 80), 25, (640, 480), "letterbox", None, False),
    ("suppressed", 1, (60, 80), 25, (640, 480), "letterbox", constants.EVALUATOR_IOU_MAX, False),
    ("many", 2, (60, 80), 400, (640, 480), "letterbox", constants.EVALUATOR_IOU_MAX, False),
    ("letterboxed", 3, (60, 80), 20, (1280, 720), "letterbox", None, False),
    ("stretched", 4, (60, 80), 20, (333, 777), "stretch", None, False),
    ("none", 5, (60, 80), 0, (640, 480), "letterbox", None, False),
    ("small_input", 6, (12, 20), 6, (160, 96), "letterbox", None, False),
    ("quantised", 7, (60, 80), 25, (640, 480), "letterbox", 0.2, True),
]


def stored_as_uint8(values: np.ndarray) -> tuple[np.ndarray, float, int]:
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    scale = np.float32((high - low) / 255)
    zero_point = int(np.rint(-low / scale))
    return preprocess.quantize(values, scale, zero_point, np.uint8), float(scale), zero_point


def write_postprocess(folder: pathlib.Path) -> None:
    arrays: dict[str, np.ndarray] = {}
    cases = []
    made: dict[int, str] = {}
    for name, seed, (height, width), count, (image_width, image_height), fit, iou_max, quantised in POST_CASES:
        tensors = dict(zip(("heatmap", "bbox", "landmark"), heads(seed, height, width, count)))
        case = {"name": name, "heads": made.setdefault(seed, name), "picture": [image_width, image_height], "fit": fit,
                "iou_max": iou_max, "input": [width * 8, height * 8], "quantization": {}}
        for key, values in list(tensors.items()):
            # Steps of 1/8 and half precision: exact, and few bytes in the file. Heatmaps keep more, for different scores.
            steps = 256 if key == "heatmap" else 8
            tensors[key] = values = (np.rint(values * steps) / steps).astype(np.float16).astype(np.float32)
            if quantised:
                stored, scale, zero_point = stored_as_uint8(values)
                case["quantization"][key] = [scale, zero_point]
                arrays[f"{name}.{key}"] = stored
                tensors[key] = preprocess.dequantize(stored, scale, zero_point)
            elif made[seed] == name:
                arrays[f"{name}.{key}"] = values.astype(np.float16)
        placement = preprocess.place(image_width, image_height, width * 8, height * 8, fit)
        faces = postprocess.postprocess(tensors["heatmap"], tensors["bbox"], tensors["landmark"], placement, iou_max=iou_max)
        arrays[f"{name}.boxes"] = np.array([face.box for face in faces], np.float64).reshape(-1, 4)
        arrays[f"{name}.scores"] = np.array([face.score for face in faces], np.float32)
        arrays[f"{name}.landmarks"] = np.array([face.landmarks for face in faces], np.float64).reshape(-1, 5, 2)
        arrays[f"{name}.pixels"] = np.array([postprocess.app_box(face.box, image_width, image_height) for face in faces],
                                            np.int64).reshape(-1, 4)
        cases.append(case)
    np.savez_compressed(folder / "postprocess.npz", **arrays)
    (folder / "postprocess.json").write_text(json.dumps({"cases": cases}, indent=1) + "\n")


TINY_SCALES = {"input": (1 / 255, 0), "heatmap": (0.06, 200), "bbox": (0.03, 40), "landmark": (0.05, 128)}


def tiny_network(border: str) -> onnx.ModelProto:
    """A network with face_det_lite's signature and no training: 8×8 means, then one 1×1 convolution a head.

    Bright cells become faces. `border` is the dtype of input and outputs: uint8 as compiled w8a8 files have, or float16
    with a dynamic batch.
    """
    rng = np.random.default_rng(11)
    shape = {"heatmap": 1, "bbox": 4, "landmark": 10}
    nodes, constants_ = [], []
    quantised, half = border == "uint8", border == "float16"
    kind = {"uint8": TensorProto.UINT8, "float16": TensorProto.FLOAT16, "float32": TensorProto.FLOAT}[border]

    def constant(name: str, value: np.ndarray) -> str:
        constants_.append(onnx.numpy_helper.from_array(value, name))
        return name

    def at_border(op: str, key: str, source: str, target: str) -> None:
        scale, zero_point = TINY_SCALES[key]
        nodes.append(helper.make_node(op, [source, constant(f"{key}.scale", np.array(scale, np.float32)),
                                           constant(f"{key}.zero_point", np.array(zero_point, np.uint8))], [target]))

    if quantised:
        at_border("DequantizeLinear", "input", "input", "real_input")
    if half:
        nodes.append(helper.make_node("Cast", ["input"], ["real_input"], to=TensorProto.FLOAT))
    nodes.append(helper.make_node("AveragePool", ["input" if border == "float32" else "real_input"], ["means"], kernel_shape=[8, 8],
                                  strides=[8, 8]))
    for key, channels in shape.items():
        weight = np.full((1, 1, 1, 1), 24) if key == "heatmap" else rng.normal(2, 2, (channels, 1, 1, 1))
        bias = np.full(1, -12) if key == "heatmap" else rng.uniform(0.5, 2, channels)
        nodes.append(helper.make_node("Conv", ["means", constant(f"{key}.weight", weight.astype(np.float32)),
                                               constant(f"{key}.bias", bias.astype(np.float32))],
                                      [key if border == "float32" else f"real_{key}"]))
        if quantised:
            at_border("QuantizeLinear", key, f"real_{key}", key)
        if half:
            nodes.append(helper.make_node("Cast", [f"real_{key}"], [key], to=TensorProto.FLOAT16))
    batch = "batch" if half else 1
    graph = helper.make_graph(
        nodes, "tiny_face_det_lite", [helper.make_tensor_value_info("input", kind, [batch, 1, 96, 128])],
        [helper.make_tensor_value_info(key, kind, [batch, channels, 12, 16]) for key, channels in shape.items()], constants_)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


def write_pipeline(folder: pathlib.Path) -> None:
    """Image to faces through the tiny networks, run by ONNX Runtime."""
    blocks = np.random.default_rng(21).integers(0, 256, (10, 16, 3)).astype(np.uint8)
    pixels = np.repeat(np.repeat(blocks, 13, axis=0), 13, axis=1)[:, :200]
    arrays: dict[str, np.ndarray] = {"picture": pixels}
    for name, border in (("tiny", "float32"), ("tiny_quantised", "uint8"), ("tiny_half", "float16")):
        model = tiny_network(border)
        onnx.save(model, folder / f"{name}.onnx")
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        for channel in ("luma", "blue"):
            tensor, placement = preprocess.image_to_tensor(pixels, channel, "letterbox", 128, 96)
            if border == "float16":
                tensor = tensor.astype(np.float16)
            if border == "uint8":
                tensor = preprocess.quantize(tensor, *TINY_SCALES["input"], np.uint8)
            outputs = session.run(["heatmap", "bbox", "landmark"], {"input": tensor})
            if border == "uint8":
                outputs = [preprocess.dequantize(value, *TINY_SCALES[key])
                           for key, value in zip(("heatmap", "bbox", "landmark"), outputs)]
            faces = postprocess.postprocess(*(value.astype(np.float32) for value in outputs), placement)
            assert len(faces) > 3, f"{name} {channel}: {len(faces)} faces test little"
            arrays[f"{name}.{channel}.pixels"] = np.array([postprocess.app_box(face.box, 200, 130) for face in faces], np.int64)
            arrays[f"{name}.{channel}.scores"] = np.array([face.score for face in faces], np.float32)
    np.savez_compressed(folder / "pipeline.npz", **arrays)


def main() -> None:
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "tests/golden/face_det_lite")
    folder.mkdir(parents=True, exist_ok=True)
    write_preprocess(folder)
    write_postprocess(folder)
    write_pipeline(folder)
    print(f"{folder}: {sum(path.stat().st_size for path in folder.iterdir())} bytes, NumPy {np.__version__}, "
          f"ONNX {onnx.__version__}, ONNX Runtime {onnxruntime.__version__}")


if __name__ == "__main__":
    main()
