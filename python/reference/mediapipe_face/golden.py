"""Writes tests/golden/mediapipe_face: what MediaPipe's networks say of the astronaut, as networks that say nothing else.

`mediapipe.json` and `warp.npz` beside them are by the `mediapipe` package and OpenCV (peer.py, which needs its own
environment). A test that feeds one to the other compares everything around the networks with MediaPipe's own results.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from python.exporters import mediapipe_face as exporter
from python.reference.mediapipe_face import detector, landmark
from python.reference.mediapipe_face.constants import FULL_RANGE, LANDMARK, SHORT_RANGE
from python.reference.mediapipe_face.smoothing import OneEuro

ASSETS = Path(".deps/assets")
FOLDER = Path("tests/golden/mediapipe_face")


def saying(name: str, size: int, outputs: dict[str, np.ndarray]) -> onnx.ModelProto:
    """A network of an NHWC image that always gives `outputs`, in the dtype of its image's: float32 or uint8."""
    is_integer = any(values.dtype != np.float32 for values in outputs.values())
    dtype = TensorProto.UINT8 if is_integer else TensorProto.FLOAT
    nodes = [] if not is_integer else [helper.make_node("Cast", ["image"], ["real"], to=TensorProto.FLOAT)]
    nodes += [helper.make_node("ReduceMin", ["real" if is_integer else "image"], ["least"], keepdims=0),
              helper.make_node("Mul", ["least", "none"], ["zero"])]
    initializers = [numpy_helper.from_array(np.zeros((), np.float32), "none")]
    values = []
    for key, stored in outputs.items():
        initializers.append(numpy_helper.from_array(stored.astype(np.float32), f"{key}_value"))
        target = key if stored.dtype == np.float32 else f"{key}_real"
        nodes.append(helper.make_node("Add", [f"{key}_value", "zero"], [target]))
        if target != key:
            nodes.append(helper.make_node("Cast", [target], [key], to=helper.np_dtype_to_tensor_dtype(stored.dtype)))
        values.append(helper.make_tensor_value_info(key, helper.np_dtype_to_tensor_dtype(stored.dtype), stored.shape))
    graph = helper.make_graph(nodes, name, [helper.make_tensor_value_info("image", dtype, [1, size, size, 3])], values, initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def run(model: Path, tensor: np.ndarray) -> list[np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"]).run(None, {"image": tensor})


def quantised(values: np.ndarray, dtype: type, low: float, high: float) -> tuple[np.ndarray, float, int]:
    top = np.iinfo(dtype).max
    scale = float(np.float32((high - low) / top))
    zero_point = round(-low / scale)
    return np.clip(np.rint(values / scale) + zero_point, 0, top).astype(dtype), scale, zero_point


def smoothing_case(rng: np.random.Generator) -> dict:
    """Two values that rest, jump and rest, at uneven times."""
    times = np.cumsum(rng.uniform(0.02, 0.06, 40))
    values = np.where(np.arange(40)[:, None] < 20, 100.0, 140.0) + rng.normal(0, 0.5, (40, 2))
    values = values.astype(np.float32).astype(np.float64)
    smoother = OneEuro()
    smoothed = [smoother.apply(time, 1 / 90, row).tolist() for time, row in zip(times, values)]
    return {"value_scale": 1 / 90, "times": times.tolist(), "values": values.tolist(), "smoothed": smoothed}


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    image = np.asarray(Image.open(ASSETS / "astronaut.png").convert("RGB"))
    scales: dict[str, list[float]] = {"image": [1 / 255, 0]}
    with tempfile.TemporaryDirectory() as folder:
        for name, file, constants in (("short_range", "face_detection_short_range", SHORT_RANGE),
                                      ("full_range", "face_detection_full_range_sparse", FULL_RANGE)):
            _, path = exporter.export(ASSETS / f"{file}.tflite", Path(folder))
            tensor, box = detector.preprocess(image, constants)
            regressors, classificators = run(path, tensor)
            onnx.save(saying(name, constants.size, {"regressors": regressors, "classificators": classificators}), FOLDER / f"{name}.onnx")
            if name == "short_range":
                face = detector.postprocess(regressors, classificators, box, constants)[0]
                stored = {}
                for key, values in (("regressors", regressors), ("classificators", classificators)):
                    stored[key], scale, zero_point = quantised(values, np.uint16, float(values.min()), float(values.max()))
                    scales[key] = [scale, zero_point]
                onnx.save(saying("quantised", constants.size, stored), FOLDER / "quantised.onnx")
        _, path = exporter.export(ASSETS / "face_landmark.tflite", Path(folder))
        region = landmark.face_region(face, LANDMARK)
        points, flag = run(path, landmark.preprocess(image, region, LANDMARK))
    onnx.save(saying("landmark", LANDMARK.size, {"landmarks": points, "face_flag": flag}), FOLDER / "landmark.onnx")
    # The same face in the manner of Qualcomm's package: fractions of the crop, and a probability.
    hub = {"scores": (1 / (1 + np.exp(-flag.reshape(1)))).astype(np.float32), "landmarks": (points.reshape(1, 468, 3) / 192).astype(np.float32)}
    onnx.save(saying("landmark_hub", LANDMARK.size, hub), FOLDER / "landmark_hub.onnx")
    anchors = {name: detector.make_anchors(constants)[::97].tolist() for name, constants in (("short_range", SHORT_RANGE), ("full_range", FULL_RANGE))}
    (FOLDER / "reference.json").write_text(json.dumps({
        "quantization": scales, "smoothing": smoothing_case(np.random.default_rng(2)), "every_97th_anchor": anchors,
        "region": {"centre": region.centre.tolist(), "side": region.side, "angle": region.angle}}) + "\n")


if __name__ == "__main__":
    main()
