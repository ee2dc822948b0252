"""Makes w8a8 test models of face_det_lite with ONNX Runtime's quantiser.

    python -m python.tools.quantize_face_det_lite --model face_det_lite.onnx --output DIR --calibration PICTURE …

Writes DIR/qdq.onnx (float at its border) and two model folders with uint8 at the border, as compiled w8a8 files are, and
the scales in model.yaml: DIR/w8a8 as the NPU compiler takes it, and DIR/w8a8_cpu, equal to the bit and faster on CPUs.
Calibration images must not be among those that results are judged on: pass the latter as --test and the script refuses an
overlap by content.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from python.exporters.common.model_folder import write_description
from python.reference.face_det_lite.preprocess import image_to_tensor
from python.tools.quantize import add_arguments, begin, integers_at_border, quantize


def read_in_blocks(model: onnx.ModelProto) -> None:
    """Lets the first convolution (3×3, stride 2, one channel) read blocks of 2×2 pixels as four channels: 2×2, stride 1.

    The same products of the same integers, so equal results; an 8-bit convolution over one channel gathers byte by byte
    and takes two fifths of the network's time. The weights that a block has too many are zero.
    """
    graph = model.graph
    made_by = {output: node for node in graph.node for output in node.output}
    constants = {tensor.name: tensor for tensor in graph.initializer}
    convolution = next(node for node in graph.node if node.op_type == "Conv")
    image, weights = (made_by[name] for name in convolution.input[:2])
    stored = numpy_helper.to_array(constants[weights.input[0]])
    settings = {attribute.name: helper.get_attribute_value(attribute) for attribute in convolution.attribute}
    if (image.input[0] != graph.input[0].name or stored.shape[1:] != (1, 3, 3) or settings["strides"] != [2, 2]
            or settings["pads"] != [1, 1, 1, 1] or any(numpy_helper.to_array(constants[weights.input[2]]).ravel())):
        return
    block_of, offset_in = (0, 1, 1), (1, 0, 1)  # of a kernel's row or column, which begins one pixel before the block
    blocks = np.zeros((len(stored), 4, 2, 2), stored.dtype)
    for row, column in np.ndindex(3, 3):
        blocks[:, 2 * offset_in[row] + offset_in[column], block_of[row], block_of[column]] = stored[:, 0, row, column]
    constants[weights.input[0]].CopyFrom(numpy_helper.from_array(blocks, weights.input[0]))
    del convolution.attribute[:]
    convolution.attribute.extend([helper.make_attribute("kernel_shape", [2, 2]), helper.make_attribute("pads", [1, 1, 0, 0])])
    graph.node.insert(0, helper.make_node("SpaceToDepth", [image.input[0]], ["blocks"], blocksize=2))
    image.input[0] = "blocks"
    del graph.value_info[:]


def write_integer_model(qdq: Path, folder: Path, calibration: list[Path], channel: str, for_cpu: bool) -> None:
    model = onnx.load(qdq)
    scales = integers_at_border(model)
    if for_cpu:
        read_in_blocks(model)
    onnx.checker.check_model(model)
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(model, folder / "model.onnx")

    def describe(value: onnx.ValueInfoProto) -> dict:
        scale, zero_point = scales[value.name]
        kind = value.type.tensor_type
        return {"name": value.name, "shape": [dimension.dim_value for dimension in kind.shape.dim],
                "dtype": helper.tensor_dtype_to_np_dtype(kind.elem_type).name, "layout": "NCHW", "scale": scale,
                "zero_point": zero_point}

    write_description(folder, {
        "schema": 1, "name": "face_det_lite", "description": "w8a8 test model made with ONNX Runtime's static quantiser",
        "licence": "BSD-3-Clause", "precision": "w8a8",
        "calibration": {"pictures": [path.name for path in calibration], "channel": channel},
        "graphs": {"detector": {"file": "model.onnx", "inputs": [describe(value) for value in model.graph.input],
                                "outputs": [describe(value) for value in model.graph.output]}}})


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m python.tools.quantize_face_det_lite", description=__doc__.split("\n")[0])
    add_arguments(parser)
    parser.add_argument("--channel", choices=("luma", "blue"), default="luma")
    options = parser.parse_args(arguments)
    if not begin(options):
        return 1
    qdq = quantize(options.model, options.output, options.calibration, lambda view: image_to_tensor(view, options.channel)[0])
    for name, for_cpu in (("w8a8", False), ("w8a8_cpu", True)):
        write_integer_model(qdq, options.output / name, options.calibration, options.channel, for_cpu)
    print(f"{qdq}, w8a8 and w8a8_cpu beside it, {len(options.calibration)} calibration pictures")
    return 0


if __name__ == "__main__":
    sys.exit(main())
