"""Exports YOLOv8 networks (PyPI `ultralytics`) to a model folder.

    python -m python.exporters.yolov8 --checkpoint yolov8n.pt --output DIR
    python -m python.exporters.yolov8 --seed 1 --config yolov8n.yaml --output DIR --form chosen

Forms of the outputs, with N anchors:

--form joined  (default) [1, 4 + classes, N]: centre, size, scores
--form split   `boxes` [1, 4, N] and `scores` [1, classes, N]: each its own scale when quantised
--form chosen  `boxes` [1, N, 4] as corners, `scores` [1, N] of the best class, `class_idx` [1, N] (uint8)

Segmentation networks (yolov8n-seg) add mask coefficients and `protos`. The graph is run and compared with PyTorch before the
folder is written; exit status 1 beyond the tolerance. Weights of Ultralytics are AGPL-3.0. Needs tools/setup.sh torch.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path
from typing import Any

import numpy as np

from python.exporters.common.batch import BATCH_HELP, parse as parse_batch
from python.exporters.common.finish import finish_graph, run_export, trace
from python.exporters.common.model_folder import write_description
from python.exporters.common.unsupported import UnsupportedModelError
from python.reference.face_det_lite.golden import sample_image
from python.reference.yolov8 import postprocess, preprocess

TOLERANCE = 1e-3  # scores absolute; boxes and masks of the largest value
OPSET = 17


def load(checkpoint: Path | None, config: str, seed: int):
    """The network in PyTorch, ready to export. A seeded one has the architecture of `config` and random weights."""
    import torch
    from ultralytics import YOLO

    torch.manual_seed(seed)
    model = YOLO(str(checkpoint) if checkpoint else config).model
    if checkpoint is None:
        # Batch norms as they are made pass almost everything on; statistics of their own make layers differ.
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                torch.nn.init.uniform_(module.weight, 0.8, 1.6)
                torch.nn.init.normal_(module.bias, 0, 0.2)
    model = model.float().eval().fuse()
    head = model.model[-1]
    head.export, head.format = True, "onnx"
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    return model


def wrap(model, form: str):
    """The network with the outputs of a form, and their names."""
    import torch

    head = model.model[-1]
    classes, has_masks = head.nc, hasattr(head, "nm")

    class Formed(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = model

        def raw(self, image):
            outputs = self.network(image)
            joined, protos = (outputs[0], outputs[1]) if has_masks else (outputs, None)
            return (joined[0] if isinstance(joined, (tuple, list)) else joined), protos

        def class_scores(self, image):
            return self.raw(image)[0][:, 4 : 4 + classes]

        def forward(self, image):
            joined, protos = self.raw(image)
            tail = [protos] if has_masks else []
            if form == "joined":
                return [joined, *tail]
            boxes, scores, coefficients = joined[:, :4], joined[:, 4 : 4 + classes], joined[:, 4 + classes :]
            masks = [coefficients.transpose(1, 2)] if has_masks else []
            if form == "split":
                return [boxes, scores, *masks, *tail]
            centre, half = boxes[:, :2], boxes[:, 2:] / 2
            corners = torch.cat([centre - half, centre + half], 1).transpose(1, 2)
            best, index = scores.max(1)
            return [corners, best, *masks, index.to(torch.uint8), *tail]

    names = {"joined": ["output0"], "split": ["boxes", "scores"], "chosen": ["boxes", "scores"]}[form]
    if has_masks and form != "joined":
        names.append("mask_coefficients")
    if form == "chosen":
        names.append("class_idx")
    return Formed().eval(), names + (["protos"] if has_masks else [])


def compare(module, path: Path, size: tuple[int, int], names: list[str]) -> dict[str, float]:
    """Largest difference from PyTorch of each output, relative to its largest value (at least 1).

    Of a chosen class counts what it lacks to the best score: of two equal ones either is right.
    """
    import onnxruntime
    import torch

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    worst = dict.fromkeys(names, 0.0)
    for seed in range(3):
        tensor, _ = preprocess.image_to_tensor(sample_image(500, 400, seed), size[1], size[0])
        with torch.no_grad():
            expected = [value.numpy() for value in module(torch.from_numpy(tensor))]
        for name, want, got in zip(names, expected, session.run(names, {"image": tensor})):
            if name == "class_idx":
                scores = module.class_scores(torch.from_numpy(tensor)).numpy()
                difference = float((scores.max(1) - np.take_along_axis(scores, got[:, None].astype(np.int64), 1)[:, 0]).max())
            else:
                difference = float(np.abs(want - got).max() / max(1.0, float(np.abs(want).max())))
            worst[name] = max(worst[name], difference)
    return worst


def describe(options: argparse.Namespace, model, path: Path, names: list[str]) -> dict[str, Any]:
    import onnx

    graph = onnx.load(path, load_external_data=False).graph

    def spec(value: Any) -> dict[str, Any]:
        kind = value.type.tensor_type
        return {"name": value.name, "shape": [dimension.dim_value or -1 for dimension in kind.shape.dim],
                "dtype": onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type).name}

    source = {"seed": options.seed, "config": options.config} if options.checkpoint is None else {
        "checkpoint": options.checkpoint.name, "sha256": hashlib.sha256(options.checkpoint.read_bytes()).hexdigest()}
    return {
        "schema": 1, "name": options.name or (options.checkpoint or Path(options.config)).stem,
        "description": "YOLOv8" + ("" if options.checkpoint else ", seeded random weights: for shape and speed, it finds nothing"),
        "licence": "AGPL-3.0", "source": source, "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "labels": [str(name) for name in model.names.values()],
        "graphs": {"detector": {"file": path.name,
                                "inputs": [spec(graph.input[0]) | {"layout": "NCHW", "colour": "RGB", "range": [0, 1]}],
                                "outputs": [spec(value) for value in graph.output]}},
        "pre": {"fit": "letterbox", "resampling": "bilinear"},
        "post": {"form": options.form, "score_min": postprocess.SCORE_MIN, "iou_max": postprocess.IOU_MAX},
        "tolerances": {"float32": {"max_relative": TOLERANCE}},
    }


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m python.exporters.yolov8", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--checkpoint", type=Path, metavar="F", help="a .pt file of Ultralytics (loading it runs code that it holds)")
    source.add_argument("--seed", type=int, metavar="N", help="the architecture of --config with seeded weights")
    parser.add_argument("--config", default="yolov8n.yaml", help="of a seeded network: yolov8{n,s,m,l,x}[-seg].yaml")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="the model folder")
    parser.add_argument("--name", help="of the model (default: the checkpoint's or the configuration's)")
    parser.add_argument("--form", choices=("joined", "split", "chosen"), default="joined")
    parser.add_argument("--batch", type=parse_batch, default=1, help=BATCH_HELP)
    parser.add_argument("--size", type=int, nargs=2, default=(640, 640), metavar=("H", "W"), help="of the input, multiples of 32")
    result = parser.parse_args(arguments)
    if any(side < 32 or side % 32 for side in result.size):
        parser.error(f"--size: expected multiples of 32, found {result.size[0]} {result.size[1]}")
    return result


def export(options: argparse.Namespace) -> None:
    import torch

    if options.checkpoint and not options.checkpoint.is_file():
        raise UnsupportedModelError(f"{options.checkpoint}: no such file")
    model = load(options.checkpoint, options.config, options.seed or 0)
    module, names = wrap(model, options.form)
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / "detector.onnx"
    example = torch.zeros(1, 3, *options.size)
    with torch.no_grad():
        module(example)  # makes the anchors of this size
    trace(module, (example,), path, ["image"], names, OPSET)
    finish_graph(path, compare(module, path, tuple(options.size), names), TOLERANCE, options.batch)
    write_description(options.output, describe(options, model, path, names))


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    return run_export(lambda: export(options), options.output)


if __name__ == "__main__":
    sys.exit(main())
