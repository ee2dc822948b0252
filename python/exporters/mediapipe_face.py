"""Exports MediaPipe's face networks to a model folder that `slipway mediapipe-face` takes.

    python -m python.exporters.mediapipe_face --checkpoint face_detection_short_range.tflite face_landmark.tflite --output DIR

Checkpoints are told by what they hold, whatever their names:
- `.tflite`: face_detection_short_range, face_detection_full_range_sparse and face_landmark as the `mediapipe` wheel carries
  them (Apache-2.0). With --check each graph is run beside LiteRT on images; a difference beyond 1e-4 of an output's range
  makes the exit status 1.
- `.pth`: state dicts of BlazeFace-PyTorch and MediaPipePyTorch (front, back, landmark), in the environment of
  `tools/setup.sh torch`; every export is compared with PyTorch. `--seed N --networks back landmark` needs no file.
- `.onnx`: the same networks, also as Qualcomm's package exports them (split heads, either layout), are taken as they are.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import Any

import onnx

from python.exporters.common.finish import run_export
from python.exporters.common.mediapipe_tflite import (
    TOLERANCE,
    Network,
    add_arguments,
    check_all,
    convert_tflite,
    describe_detector,
    describe_tensors,
    digest_of,
    finish,
    report_graph,
    unknown,
)
from python.exporters.common.model_folder import write_description
from python.exporters.common.unsupported import UnsupportedModelError
from python.reference.mediapipe_face.constants import BACK, FULL_RANGE, LANDMARK, SHORT_RANGE


@dataclasses.dataclass(frozen=True)
class Exported:
    network: Network
    checkpoint: str  # file name, or the seed
    sha256: str | None
    path: Path
    layout: str


_DETECTOR_OUTPUTS = ("regressors", "classificators")
NETWORKS = (
    Network("detector", "short_range", (1, 128, 128, 3), ((1, 896, 16), (1, 896, 1)), _DETECTOR_OUTPUTS,
            SHORT_RANGE.input_range),
    Network("detector", "full_range_sparse", (1, 192, 192, 3), ((1, 2304, 16), (1, 2304, 1)), _DETECTOR_OUTPUTS,
            FULL_RANGE.input_range),
    Network("landmark", "landmark", (1, 192, 192, 3), ((1, 1, 1, 1404), (1, 1, 1, 1)), ("landmarks", "face_flag"),
            LANDMARK.input_range),
)
# What PyTorch and ONNX files may hold besides.
BACK_NETWORK = Network("detector", "back", (1, 256, 256, 3), ((1, 896, 16), (1, 896, 1)), ("box_coords", "box_scores"), BACK.input_range)
BACK_SPLIT = dataclasses.replace(
    BACK_NETWORK, output_shapes=((1, 512, 16), (1, 384, 16), (1, 512, 1), (1, 384, 1)),
    output_names=("box_coords_1", "box_coords_2", "box_scores_1", "box_scores_2"))
LANDMARK_FRACTIONS = Network("landmark", "landmark_fractions", (1, 192, 192, 3), ((1,), (1, 468, 3)), ("scores", "landmarks"), LANDMARK.input_range)
OTHERS = (BACK_NETWORK, BACK_SPLIT, LANDMARK_FRACTIONS)
_TORCH = {"front": NETWORKS[0], "back": BACK_NETWORK, "landmark": LANDMARK_FRACTIONS}


def identify_onnx(model: onnx.ModelProto) -> tuple[Network, str]:
    """The network of an ONNX file, under its own output names, and its layout. A dynamic batch counts as 1."""
    weights = {tensor.name for tensor in model.graph.initializer}

    def shape(value: onnx.ValueInfoProto) -> tuple[int, ...]:
        dimensions = value.type.tensor_type.shape.dim
        return tuple(d.dim_value or (1 if index == 0 else 0) for index, d in enumerate(dimensions))

    inputs = [shape(value) for value in model.graph.input if value.name not in weights]
    outputs = {value.name: shape(value) for value in model.graph.output}
    for network in (*NETWORKS, *OTHERS):
        n, h, w, c = network.input_shape
        layout = {(n, h, w, c): "nhwc", (n, c, h, w): "nchw"}.get(inputs[0]) if len(inputs) == 1 else None
        if layout and sorted(outputs.values()) == sorted(network.output_shapes):
            return dataclasses.replace(network, output_names=tuple(outputs), output_shapes=tuple(outputs.values())), layout
    raise UnsupportedModelError(unknown(inputs, list(outputs.values()), (*NETWORKS, *OTHERS), "face"))


def export(checkpoint: Path, folder: Path, layout: str = "nhwc") -> tuple[Network, Path]:
    """Writes FOLDER/detector.onnx or FOLDER/landmark.onnx and returns what it is and where."""
    exported = export_any(checkpoint, folder, layout)
    return exported.network, exported.path


def export_any(checkpoint: Path, folder: Path, layout: str) -> Exported:
    folder.mkdir(parents=True, exist_ok=True)
    digest = digest_of(checkpoint)
    if checkpoint.suffix == ".onnx":
        model = onnx.load(checkpoint)
        network, layout = identify_onnx(model)
        path = folder / f"{network.graph}.onnx"
        onnx.save(model, path)
        return Exported(network, checkpoint.name, digest, path, layout)
    if checkpoint.suffix in (".pth", ".pt"):
        try:
            from python.exporters.mediapipe_torch import face_networks
        except ModuleNotFoundError as error:
            raise UnsupportedModelError(f"{checkpoint}: PyTorch files are read in .deps/venv-torch (tools/setup.sh torch): {error}") from error
        try:
            name, module = face_networks.build(face_networks.read_state(checkpoint), str(checkpoint))
        except face_networks.UnknownStateError as error:
            raise UnsupportedModelError(str(error)) from error
        return _export_torch(name, module, folder, layout, checkpoint.name, digest)
    network, path = convert_tflite(checkpoint, folder, layout, NETWORKS, "face")
    return Exported(network, checkpoint.name, digest, path, layout)


def _export_torch(name: str, module: Any, folder: Path, layout: str, source: str, digest: str | None) -> Exported:
    from python.exporters.mediapipe_torch import face_networks

    network = _TORCH[name]
    path = folder / f"{network.graph}.onnx"
    difference = face_networks.export(name, module, path, layout)
    if not difference <= TOLERANCE:
        raise UnsupportedModelError(f"{path}: ONNX Runtime differs from PyTorch by {difference:.1e} of the range, beyond {TOLERANCE:g}")
    print(f"{path}: {difference:.1e} of the range from PyTorch")
    return Exported(network, source, digest, path, layout)


def export_seeded(name: str, seed: int, folder: Path, layout: str) -> Exported:
    from python.exporters.mediapipe_torch import face_networks

    folder.mkdir(parents=True, exist_ok=True)
    return _export_torch(name, face_networks.seeded(name, seed), folder, layout, f"seed {seed}, not trained", None)


def describe(exported: list[Exported], batch: int | str = 1) -> dict[str, Any]:
    """The content of model.yaml."""
    return {
        "schema": 1,
        "name": "mediapipe_face",
        "description": "MediaPipe face detection and 468 face landmarks",
        "licence": "Apache-2.0",
        "source": "networks of Google's MediaPipe, from the files named as checkpoints",
        "graphs": {each.network.graph: _describe_graph(each, batch) for each in exported},
        "tolerances": {"float32": {"max_relative_to_range": TOLERANCE}, "float16": {"max_relative_to_range": 0.01}},
    }


def _describe_graph(exported: Exported, batch: int | str) -> dict[str, Any]:
    network, layout = exported.network, exported.layout
    checkpoint: dict[str, Any] = {"file": exported.checkpoint}
    if exported.sha256:
        checkpoint["sha256"] = exported.sha256
    description: dict[str, Any] = {
        "file": exported.path.name,
        "variant": network.variant,
        "checkpoint": checkpoint,
        **describe_tensors(network, layout, batch),
    }
    if network.graph == "landmark":
        is_fraction = network.variant == LANDMARK_FRACTIONS.variant
        description["pre"] = {"range": list(network.input_range),
                              "region": {"scale": LANDMARK.region_scale, "square": "longer side",
                                         "level_keypoints": list(LANDMARK.region_keypoints)},
                              "resampling": "bilinear", "outside": "replicate"}
        description["post"] = {"landmarks": LANDMARK.landmark_count, "unit": "fractions of the crop" if is_fraction else "pixels of the crop",
                               "flag": "probability" if is_fraction else "logit", "flag_min": LANDMARK.flag_min}
    else:
        constants = {"short_range": SHORT_RANGE, "back": BACK}.get(network.variant, FULL_RANGE)
        description |= describe_detector(constants)
    return description


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m python.exporters.mediapipe_face", description=__doc__.split("\n")[0])
    parser.add_argument("--checkpoint", type=Path, nargs="+", default=[], help="one or several .tflite, .pth or .onnx files")
    parser.add_argument("--seed", type=int, help="weights from a seed instead of a checkpoint")
    parser.add_argument("--networks", nargs="+", choices=tuple(_TORCH), default=["back", "landmark"], help="for --seed")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    if bool(options.checkpoint) == (options.seed is not None):
        parser.error("say either --checkpoint or --seed")

    def export() -> None:
        exported: list[Exported] = []
        for each in options.checkpoint or options.networks:
            made = (export_any(each, options.output, options.layout) if options.checkpoint
                    else export_seeded(each, options.seed, options.output, options.layout))
            if any(made.network.graph == other.network.graph for other in exported):
                raise UnsupportedModelError(f"{each}: a folder holds one {made.network.graph}")
            finish(made.path, options.form, options.batch)
            exported.append(made)
            report_graph(made.network, made.path)
        write_description(options.output, describe(exported, options.batch))
        check_all([(made.network, checkpoint, made.path) for made, checkpoint in zip(exported, options.checkpoint)
                   if options.check and checkpoint.suffix == ".tflite"], options)

    return run_export(export, options.output)


if __name__ == "__main__":
    sys.exit(main())
