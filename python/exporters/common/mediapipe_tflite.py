"""What the exporters of MediaPipe's networks share: telling networks by their shapes, converting `.tflite` files, and
running them beside LiteRT on images."""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnx.utils
from PIL import Image

from python.exporters.common.batch import BATCH_HELP, axis, parse, set_batch
from python.exporters.common.finish import DifferenceError, run_export
from python.exporters.common.model_folder import write_description
from python.exporters.common.prelu import expand_prelu
from python.exporters.common.unsupported import UnsupportedModelError
from python.reference.mediapipe_face.constants import DetectorConstants
from python.reference.mediapipe_face.sampling import letterbox, to_range

if TYPE_CHECKING:
    from python.exporters.common.litert_check import OutputDifference
    from python.exporters.common.tflite_graph import Graph
try:
    from python.exporters.common.tflite_graph import read_tflite
    from python.exporters.common.tflite_to_onnx import convert
except ModuleNotFoundError:  # the environment of the PyTorch exporters reads no TFLite
    read_tflite = convert = None

TOLERANCE = 1e-4  # of the output's range, float32 against LiteRT
ASTRONAUT = Path(".deps/assets/astronaut.png")
FORM_HELP = ("cpu: PReLU as multiply, ReLU and add, which ONNX Runtime's CPU provider runs three times as fast; "
             "portable: PReLU as it is, for NPU compilers")


@dataclasses.dataclass(frozen=True)
class Network:
    graph: str  # name in the folder
    variant: str
    input_shape: tuple[int, ...]  # NHWC
    output_shapes: tuple[tuple[int, ...], ...]
    output_names: tuple[str, ...]
    input_range: tuple[float, float]
    probabilities: tuple[str, ...] = ()  # outputs in 0 … 1
    unused: tuple[str, ...] = ()  # outputs that are left out, with the layers that serve them alone
    positions: tuple[int, ...] | None = None  # of the outputs that are kept, in the file; None: all

    def without_unused(self) -> Network:
        """What is exported."""
        kept = [index for index, name in enumerate(self.output_names) if name not in self.unused]
        return dataclasses.replace(self, positions=tuple(kept), output_names=tuple(self.output_names[index] for index in kept),
                                   output_shapes=tuple(self.output_shapes[index] for index in kept))


def identify(graph: Graph, networks: tuple[Network, ...], noun: str) -> Network:
    """Which network a TFLite file holds, by the shapes of its inputs and outputs."""
    inputs = [tensor.shape for tensor in graph.inputs]
    outputs = tuple(tensor.shape for tensor in graph.outputs)
    for network in networks:
        if inputs == [network.input_shape] and outputs == network.output_shapes:
            return network
    raise UnsupportedModelError(unknown(inputs, list(outputs), networks, noun))


def unknown(inputs: list, outputs: list, known: tuple[Network, ...], noun: str) -> str:
    return (f"not a {noun} network that this exporter knows: inputs {inputs}, outputs {outputs}; expected one of "
            + ", ".join(f"{n.variant} {n.input_shape} -> {list(n.output_shapes)}" for n in known))


def convert_tflite(checkpoint: Path, folder: Path, layout: str, networks: tuple[Network, ...], noun: str) -> tuple[Network, Path]:
    """Writes FOLDER/GRAPH.onnx."""
    if read_tflite is None:
        raise UnsupportedModelError(f"{checkpoint}: TFLite files are read in .deps/venv (tools/setup.sh python)")
    graph = read_tflite(checkpoint)
    network = identify(graph, networks, noun)
    model = convert(graph, ["image"], list(network.output_names), layout, f"mediapipe_{noun}_{network.graph}",
                    {"source": checkpoint.name, "sha256": digest_of(checkpoint), "licence": "Apache-2.0"})
    network = network.without_unused()
    if network.unused:
        properties = list(model.metadata_props)
        model = onnx.utils.Extractor(model).extract_model(["image"], list(network.output_names))
        model.metadata_props.extend(properties)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{network.graph}.onnx"
    onnx.save(model, path)
    return network, path


def finish(path: Path, form: str, batch: int | str) -> None:
    """Rewrites the graph for the form and the batch that are asked for."""
    if form == "cpu":
        model = onnx.load(path)
        if expand_prelu(model) > 0:
            onnx.save(model, path)
    if batch != 1:
        print(f"{path}: with a batch of {batch} {set_batch(path, batch):.1e} of the range from single runs")


def describe_tensors(network: Network, layout: str, batch: int | str = 1) -> dict[str, Any]:
    """The rows `inputs` and `outputs` of a graph in model.yaml."""
    _, height, width, channels = network.input_shape
    shape = [axis(batch), *((channels, height, width) if layout == "nchw" else (height, width, channels))]
    return {"inputs": [{"name": "image", "shape": shape, "dtype": "float32", "layout": layout.upper(), "colour": "RGB",
                        "range": list(network.input_range)}],
            "outputs": [{"name": name, "shape": [axis(batch), *output[1:]], "dtype": "float32"}
                        for name, output in zip(network.output_names, network.output_shapes)]}


def describe_detector(constants: DetectorConstants) -> dict[str, Any]:
    """What stands before and behind a detector, in model.yaml."""
    return {"pre": {"range": list(constants.input_range), "fit": "letterbox", "resampling": "bilinear", "outside": "zero"},
            "post": {"anchors": {"strides": list(constants.strides), "per_cell": list(constants.anchors_per_cell),
                                 "centre": "(cell + 0.5) / cells", "size": 1.0, "count": constants.anchor_count},
                     "coordinates": f"x y pairs in input pixels: centre, size, {len(constants.keypoints)} key points",
                     "keypoints": list(constants.keypoints), "score": "sigmoid", "logit_limit": constants.logit_limit,
                     "score_min": constants.score_min, "suppression": "weighted", "iou_max": constants.iou_max}}


def check_tensors(network: Network, images: list[Path]) -> Iterator[tuple[str, np.ndarray]]:
    """Each image whole, mirrored, upside down, and its four corners and middle at half size."""
    size = network.input_shape[1]
    for path in images:
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


def check(network: Network, checkpoint: Path, path: Path, images: list[Path], layout: str) -> list[OutputDifference]:
    """Differences from LiteRT on the images, one entry an output."""
    from python.exporters.common.litert_check import compare_with_litert

    return compare_with_litert(checkpoint, path, check_tensors(network, images), layout, network.probabilities, network.positions)


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What every exporter of MediaPipe's networks asks."""
    parser.add_argument("--output", type=Path, required=True, help="model folder to write")
    parser.add_argument("--layout", choices=("nhwc", "nchw"), default="nhwc",
                        help="axes of the input (default: nhwc); .onnx files keep theirs")
    parser.add_argument("--form", choices=("cpu", "portable"), default="cpu", help=FORM_HELP)
    parser.add_argument("--batch", type=parse, default=1, help=BATCH_HELP)
    parser.add_argument("--check", action="store_true", help="compare .tflite files with LiteRT on pictures")
    parser.add_argument("--pictures", type=Path, nargs="+", default=[ASTRONAUT], help="for --check (default: %(default)s)")


def report_graph(network: Network, path: Path) -> None:
    print(f"{path}: {network.variant}, {len(onnx.load(path).graph.node)} nodes, {path.stat().st_size / 1e6:.2f} MB")


def check_all(made: list[tuple[Network, Path, Path]], options: argparse.Namespace) -> None:
    """Says what is found of each (network, .tflite file, graph). Raises DifferenceError beyond the tolerance."""
    is_beyond = False
    for network, checkpoint, path in made:
        print(f"{path} against LiteRT on {len(options.pictures)} picture{'s' * (len(options.pictures) > 1)}, 8 views each:")
        for difference in check(network, checkpoint, path, options.pictures, options.layout):
            within = difference.relative <= TOLERANCE
            is_beyond = is_beyond or not within
            print(f"  {difference.name:16} max difference {difference.max_abs:.2e} of {difference.low:.4g} … {difference.high:.4g}"
                  f" = {difference.relative:.1e} of the range, at {difference.worst}: "
                  f"{'within' if within else 'BEYOND'} {TOLERANCE:g}")
    if is_beyond:
        raise DifferenceError(f"an output differs from LiteRT by more than {TOLERANCE:g} of its range")


def run_exporter(module: str, doc: str, noun: str, networks: tuple[Network, ...], describe_graph: Callable[[Network], dict[str, Any]],
                 arguments: list[str] | None) -> int:
    """The command line of an exporter that takes `.tflite` files alone."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=doc.split("\n")[0])
    parser.add_argument("--checkpoint", type=Path, nargs="+", required=True, help="a detector's and a landmark network's .tflite file")
    add_arguments(parser)
    options = parser.parse_args(arguments)

    def export() -> None:
        made: list[tuple[Network, Path, Path]] = []
        graphs: dict[str, Any] = {}
        for checkpoint in options.checkpoint:
            network, path = convert_tflite(checkpoint, options.output, options.layout, networks, noun)
            if network.graph in graphs:
                raise UnsupportedModelError(f"{checkpoint}: a folder holds one {network.graph}")
            finish(path, options.form, options.batch)
            graphs[network.graph] = {"file": path.name, "variant": network.variant,
                                     "checkpoint": {"file": checkpoint.name, "sha256": digest_of(checkpoint)},
                                     **describe_tensors(network, options.layout, options.batch), **describe_graph(network)}
            made.append((network, checkpoint, path))
            report_graph(network, path)
        write_description(options.output, {
            "schema": 1, "name": f"mediapipe_{noun}", "licence": "Apache-2.0", "source": "PyPI mediapipe wheel, mediapipe/modules",
            "graphs": graphs, "tolerances": {"float32": {"max_relative_to_range": TOLERANCE}}})
        check_all(made if options.check else [], options)

    return run_export(export, options.output)
