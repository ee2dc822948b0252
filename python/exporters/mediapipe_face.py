"""Exports MediaPipe's face networks to a model folder.

    python -m python.exporters.mediapipe_face --checkpoint face_detection_short_range.tflite --output DIR --check

Takes face_detection_short_range, face_detection_full_range_sparse and face_landmark as the `mediapipe` wheel carries
them (Apache-2.0). Several checkpoints make one folder with several graphs. With --check each graph is run beside LiteRT
on pictures; a difference beyond 1e-4 of an output's range makes the exit status 1.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from PIL import Image

from python.exporters.common.litert_check import OutputDifference, compare_with_litert
from python.exporters.common.model_folder import write_description
from python.exporters.common.tflite_graph import Graph, UnsupportedModelError, read_tflite
from python.exporters.common.tflite_to_onnx import convert
from python.reference.mediapipe_face.constants import FULL_RANGE, LANDMARK, SHORT_RANGE
from python.reference.mediapipe_face.sampling import letterbox, to_range

TOLERANCE = 1e-4  # of the output's range, float32 against LiteRT
_ASTRONAUT = Path(".deps/assets/astronaut.png")


@dataclasses.dataclass(frozen=True)
class Network:
    graph: str  # name in the folder
    variant: str
    input_shape: tuple[int, ...]
    output_shapes: tuple[tuple[int, ...], ...]
    output_names: tuple[str, ...]
    input_range: tuple[float, float]


_DETECTOR_OUTPUTS = ("regressors", "classificators")
NETWORKS = (
    Network("detector", "short_range", (1, 128, 128, 3), ((1, 896, 16), (1, 896, 1)), _DETECTOR_OUTPUTS,
            SHORT_RANGE.input_range),
    Network("detector", "full_range_sparse", (1, 192, 192, 3), ((1, 2304, 16), (1, 2304, 1)), _DETECTOR_OUTPUTS,
            FULL_RANGE.input_range),
    Network("landmark", "landmark", (1, 192, 192, 3), ((1, 1, 1, 1404), (1, 1, 1, 1)), ("landmarks", "face_flag"),
            LANDMARK.input_range),
)


def identify(graph: Graph) -> Network:
    """Which network a file holds, by the shapes of its inputs and outputs."""
    inputs = [tensor.shape for tensor in graph.inputs]
    outputs = tuple(tensor.shape for tensor in graph.outputs)
    for network in NETWORKS:
        if inputs == [network.input_shape] and outputs == network.output_shapes:
            return network
    raise UnsupportedModelError(
        f"not a face network that this exporter knows: inputs {inputs}, outputs {list(outputs)}; expected one of "
        + ", ".join(f"{n.variant} {n.input_shape} -> {list(n.output_shapes)}" for n in NETWORKS))


def export(checkpoint: Path, folder: Path, layout: str = "nhwc") -> tuple[Network, Path]:
    """Writes FOLDER/detector.onnx or FOLDER/landmark.onnx and returns what it is and where."""
    graph = read_tflite(checkpoint)
    network = identify(graph)
    model = convert(graph, ["image"], list(network.output_names), layout, f"mediapipe_face_{network.graph}",
                    {"source": checkpoint.name, "sha256": _sha256(checkpoint), "licence": "Apache-2.0"})
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{network.graph}.onnx"
    onnx.save(model, path)
    return network, path


def describe(exported: list[tuple[Network, Path, Path]], layout: str) -> dict[str, Any]:
    """The content of model.yaml."""
    graphs = {network.graph: _describe_graph(network, checkpoint, path, layout) for network, checkpoint, path in exported}
    return {
        "schema": 1,
        "name": "mediapipe_face",
        "description": "MediaPipe face detection and 468 face landmarks",
        "licence": "Apache-2.0",
        "source": "PyPI mediapipe 0.10.21, mediapipe/modules",
        "graphs": graphs,
        "tolerances": {"float32": {"max_relative_to_range": TOLERANCE}, "float16": {"max_relative_to_range": 0.01}},
    }


def _describe_graph(network: Network, checkpoint: Path, path: Path, layout: str) -> dict[str, Any]:
    batch, height, width, channels = network.input_shape
    shape = [batch, channels, height, width] if layout == "nchw" else list(network.input_shape)
    outputs = [{"name": name, "shape": list(output), "dtype": "float32"}
               for name, output in zip(network.output_names, network.output_shapes)]
    description: dict[str, Any] = {
        "file": path.name,
        "variant": network.variant,
        "checkpoint": {"file": checkpoint.name, "sha256": _sha256(checkpoint)},
        "inputs": [{"name": "image", "shape": shape, "dtype": "float32", "layout": layout.upper(), "colour": "RGB",
                    "range": list(network.input_range)}],
        "outputs": outputs,
    }
    if network.graph == "landmark":
        description["pre"] = {"region": {"scale": LANDMARK.roi_scale, "square": "longer side",
                                         "level_keypoints": list(LANDMARK.roi_keypoints)},
                              "resampling": "bilinear", "outside": "replicate"}
        description["post"] = {"landmarks": LANDMARK.landmark_count, "unit": "pixels of the crop",
                               "flag": "logit", "flag_min": LANDMARK.flag_min}
    else:
        constants = SHORT_RANGE if network.variant == "short_range" else FULL_RANGE
        description["pre"] = {"fit": "letterbox", "resampling": "bilinear", "outside": "zero"}
        description["post"] = {
            "anchors": {"strides": list(constants.strides), "per_cell": list(constants.anchors_per_cell),
                        "centre": "(cell + 0.5) / cells", "size": 1.0, "count": constants.anchor_count},
            "coordinates": "x y pairs in input pixels: centre, size, 6 key points",
            "keypoints": list(constants.keypoints),
            "score": "sigmoid", "logit_limit": constants.logit_limit, "score_min": constants.score_min,
            "suppression": "weighted", "iou_max": constants.iou_max,
        }
    return description


def check_tensors(network: Network, pictures: list[Path]) -> Iterator[tuple[str, np.ndarray]]:
    """Each picture whole, mirrored, upside down, and its four corners and middle at half size."""
    size = network.input_shape[1]
    for path in pictures:
        whole = np.asarray(Image.open(path).convert("RGB"))
        height, width = whole.shape[:2]
        top, left = height // 4, width // 4
        views = {"whole": whole, "mirrored": whole[:, ::-1], "upside down": whole[::-1],
                 "upper middle": whole[: height // 2, left : left + width // 2],
                 "top left": whole[: height // 2, : width // 2], "top right": whole[: height // 2, width // 2 :],
                 "bottom left": whole[height // 2 :, : width // 2], "middle": whole[top : top + height // 2,
                                                                                 left : left + width // 2]}
        for name, view in views.items():
            yield f"{path.name} {name}", to_range(letterbox(view, size)[0], network.input_range)[None]


def check(network: Network, checkpoint: Path, path: Path, pictures: list[Path], layout: str) -> list[OutputDifference]:
    """Differences from LiteRT on the pictures, one entry an output."""
    return compare_with_litert(checkpoint, path, check_tensors(network, pictures), layout)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _report(differences: list[OutputDifference]) -> bool:
    fine = True
    for difference in differences:
        within = difference.relative <= TOLERANCE
        fine = fine and within
        print(f"  {difference.name:16} max difference {difference.max_abs:.2e} of {difference.low:.4g} … {difference.high:.4g}"
              f" = {difference.relative:.1e} of the range, at {difference.worst}: "
              f"{'within' if within else 'BEYOND'} {TOLERANCE:g}")
    return fine


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m python.exporters.mediapipe_face", description=__doc__.split("\n")[0])
    parser.add_argument("--checkpoint", type=Path, required=True, nargs="+", help="one or several .tflite files")
    parser.add_argument("--output", type=Path, required=True, help="model folder to write")
    parser.add_argument("--layout", choices=("nhwc", "nchw"), default="nhwc", help="axes of the input (default: nhwc)")
    parser.add_argument("--check", action="store_true", help="compare with LiteRT on pictures")
    parser.add_argument("--pictures", type=Path, nargs="+", help=f"for --check (default: {_ASTRONAUT})")
    options = parser.parse_args(arguments)
    pictures = options.pictures or [_ASTRONAUT]
    try:
        exported = []
        for checkpoint in options.checkpoint:
            network, path = export(checkpoint, options.output, options.layout)
            if any(network.graph == other.graph for other, _, _ in exported):
                raise UnsupportedModelError(f"{checkpoint}: a folder holds one {network.graph}")
            exported.append((network, checkpoint, path))
            print(f"{path}: {network.variant}, {len(onnx.load(path).graph.node)} nodes, {path.stat().st_size / 1e6:.2f} MB")
        print(write_description(options.output, describe(exported, options.layout)))
        fine = True
        for network, checkpoint, path in exported if options.check else []:
            print(f"{path} against LiteRT on {len(pictures)} picture{'s' * (len(pictures) > 1)}, 8 views each:")
            fine = _report(check(network, checkpoint, path, pictures, options.layout)) and fine
    except (UnsupportedModelError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
