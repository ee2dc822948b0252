"""SAM 2.1 video (PyPI `transformers`, Sam2VideoModel) to a model folder of ONNX graphs.

    python -m python.exporters.samurai --size tiny --seed 1 --output DIR

Graphs, shapes and what is left to the caller: README.md beside this file. Each graph is run and compared with PyTorch before
the folder is written; exit status 1 beyond the tolerance.
"""

import argparse
import pathlib
import sys

from python.exporters.common.finish import run_export
from python.exporters.samurai import forms

# Of base_plus, as its publisher and its users write it.
SPELLINGS = {"base+": "base_plus", "base-plus": "base_plus"}


def parse(arguments=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m python.exporters.samurai", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=lambda name: SPELLINGS.get(name, name), choices=tuple(forms.SIZES), default="tiny",
                        help="base+ and base-plus also name base_plus")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--checkpoint", type=pathlib.Path, metavar="F",
                        help="the publisher's sam2.1_hiera_*.pt, or a folder of `transformers` or its model.safetensors, of the same --size")
    source.add_argument("--seed", type=int, metavar="N", help="the released architecture with seeded weights")
    parser.add_argument("--output", type=pathlib.Path, required=True, metavar="DIR", help="the model folder")
    parser.add_argument("--name", help="name of the model")
    parser.add_argument("--components", default="all", metavar="A,B",
                        help="comma-separated: all, memory_attention (1 to 7), " + ", ".join(forms.COMPONENTS))
    parser.add_argument("--image-size", type=int, choices=(1024, 512, 256), default=1024,
                        help="side of the square that the network sees; checkpoints are trained for 1024")
    parser.add_argument("--layout", choices=("cpu", "openvino", "portable"), default="cpu",
                        help="cpu: attention as one operator of ONNX Runtime; openvino: for --provider openvino; "
                             "portable: standard operators, for NPU and GPU compilers")
    parser.add_argument("--optimize", action="store_true", help="fuse operators into those of ONNX Runtime's CPU provider (layout cpu, float32 or int8)")
    parser.add_argument("--dynamic-batch", action="store_true", help="the image encoder takes any number of pictures")
    parser.add_argument("--threads", type=int, default=0, help="threads of the check")
    precision = parser.add_mutually_exclusive_group()
    precision.add_argument("--fp16", action="store_true", help="half-precision weights and arithmetic; inputs and outputs stay float32")
    precision.add_argument("--quantize-dynamic", action="store_true",
                           help="int8 weights, activations quantised while running: products with weights only; "
                                "prompt encoder and mask decoder stay float32")
    result = parser.parse_args(arguments)
    names = []
    for each in result.components.split(","):
        if each not in forms.GROUPS and each not in forms.COMPONENTS:
            parser.error(f"--components: expected {', '.join([*forms.GROUPS, *forms.COMPONENTS])}, found {each}")
        names += forms.GROUPS.get(each, [each])
    result.components = list(dict.fromkeys(names))
    if result.fp16 and result.dynamic_batch:
        parser.error("--fp16 with --dynamic-batch: half precision needs fixed shapes; drop one")
    if result.layout == "openvino" and (result.fp16 or result.quantize_dynamic):
        parser.error("--layout openvino is float32: that provider makes bfloat16 of it by itself (--precision bf16)")
    if result.optimize and (result.fp16 or result.layout != "cpu"):
        found = "--fp16" if result.fp16 else f"--layout {result.layout}"
        parser.error(f"--optimize with {found}: it makes operators of ONNX Runtime's CPU provider, in --layout cpu; drop one")
    if result.fp16 and result.layout == "cpu":
        # ONNX Runtime's CPU provider has no half-precision kernel of the fused attention.
        result.layout = "portable"
    return result


def main(arguments=None) -> int:
    options = parse(arguments)
    from python.exporters.samurai import export  # PyTorch, which options need not wait for

    return run_export(lambda: export.export(options), options.output)


if __name__ == "__main__":
    sys.exit(main())
