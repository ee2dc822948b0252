"""Writes tests/golden/samurai/resize.npz and masks.npz: frames stretched by Pillow, masks enlarged by ONNX Runtime.

    python -m python.reference.samurai.geometry_golden
"""

import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from PIL import Image

FOLDER = pathlib.Path("tests/golden/samurai")
SIDE = 32
FRAMES = {"wide": (45, 80), "tall": (96, 37), "same_width": (50, SIDE), "small": (9, 7), "square": (SIDE, SIDE)}
# Side of the logits, height and width of the image.
MASKS = {"larger": (16, 64, 64), "wide": (16, 45, 80), "smaller": (32, 20, 11)}


def squeezed(pixels: np.ndarray) -> np.ndarray:
    """Columns first; Pillow by itself takes the pass first that suits it. Bicubic is what it does when nothing is said."""
    image = Image.fromarray(pixels)
    for size in ((SIDE, image.height), (SIDE, SIDE)):
        image = image.resize(size, Image.Resampling.BICUBIC)
    return np.asarray(image)


def stretched() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    arrays = {}
    for name, (height, width) in FRAMES.items():
        frame = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        arrays[f"{name}.frame"] = frame
        arrays[f"{name}.square"] = squeezed(frame)
    return arrays


def enlarged(logits: np.ndarray, height: int, width: int) -> np.ndarray:
    node = helper.make_node("Resize", ["x", "", "", "sizes"], ["y"], mode="linear", coordinate_transformation_mode="half_pixel")
    graph = helper.make_graph([node], "resize", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, *logits.shape])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, height, width])],
                              [helper.make_tensor("sizes", TensorProto.INT64, [4], [1, 1, height, width])])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": logits[None, None]})[0][0, 0]


def masks() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    arrays = {}
    for name, (side, height, width) in MASKS.items():
        y, x = np.mgrid[:side, :side]
        for kind in ("blob", "noise", "corner", "none"):
            if kind == "blob":
                logits = 4 - 0.6 * np.hypot(x - side * 0.6, y - side * 0.4) + rng.normal(0, 0.5, (side, side))
            elif kind == "noise":
                logits = rng.normal(-2, 1.5, (side, side))
            else:
                logits = np.full((side, side), -3.0)
                if kind == "corner":
                    logits[-1, 0] = 4.9
            logits = logits.astype(np.float32)
            large = enlarged(logits, height, width)
            arrays[f"{name}.{kind}.logits"] = logits
            arrays[f"{name}.{kind}.mask"] = (large > 0).astype(np.uint8)
            assert np.abs(large).min() > 1e-5, "a value so near to 0 that rounding would decide"
    return arrays


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(FOLDER / "resize.npz", **stretched())
    np.savez_compressed(FOLDER / "masks.npz", **masks())


if __name__ == "__main__":
    main()
