"""HTDemucs (PyPI `demucs`) to a model folder: `python -m python.exporters.demucs --seed 1 --output DIR`.

Forms of the graph:

--stft outside  (default) inputs `input` (B, 2, N) and `x` (B, 4, 2048, frames: left real, left imaginary, right real,
                right imaginary); outputs `output` (B, S, 4, 2048, frames), the spectrogram branch, and `add_67`
                (B, S, 2, N), the waveform branch. The stems are istft(output) + add_67: the caller does both transforms.
--istft inside  with two inputs, but `add_67` is the whole answer: for tools that carry one raw file in and out.
--stft inside   one input `input`, one output `add_67`, the whole answer.

The graph is run and compared with PyTorch before the folder is written; exit status 1 beyond the tolerance.
"""

import argparse
import pathlib
import sys

from python.exporters.common.finish import run_export


def parse(arguments=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m python.exporters.demucs", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--checkpoint", type=pathlib.Path, metavar="F", help="a .th file, or the .yaml of a bag beside its .th files")
    source.add_argument("--seed", type=int, metavar="N", help="the released architecture with seeded weights")
    parser.add_argument("--output", type=pathlib.Path, required=True, metavar="DIR", help="the model folder")
    parser.add_argument("--name", help="name of the model (default: the checkpoint's, or htdemucs-seed-N)")
    parser.add_argument("--segment-samples", type=int, metavar="N", help="length of a segment (default: the model's own; 44100 is 1 s)")
    parser.add_argument("--sources", type=int, choices=(4, 6), default=4, help="stems of a seeded model")
    parser.add_argument("--stft", choices=("outside", "inside"), default="outside")
    parser.add_argument("--istft", choices=("outside", "inside"), help="default: as --stft")
    parser.add_argument("--layout", choices=("cpu", "openvino", "portable"), default="cpu",
                        help="cpu: fused for ONNX Runtime's CPU provider; openvino: for --provider openvino; "
                             "portable: standard operators, for NPU compilers")
    parser.add_argument("--batch", default="1", help="segments a run: a number, or `dynamic`")
    parser.add_argument("--fp16", action="store_true", help="half-precision weights and arithmetic; norms, inputs and outputs stay float32")
    parser.add_argument("--threads", type=int, default=0, help="threads of the check")
    result = parser.parse_args(arguments)
    result.istft = result.istft or result.stft
    if result.stft == "inside" and result.istft == "outside":
        parser.error("--stft inside with --istft outside: the spectrogram would leave a graph it never entered; drop one")
    if result.batch != "dynamic" and (not result.batch.isdigit() or int(result.batch) < 1):
        parser.error(f"--batch: expected a positive number or `dynamic`, found {result.batch}")
    if result.segment_samples is not None and result.segment_samples < 4096:
        parser.error(f"--segment-samples: expected at least 4096, one window of the spectrogram, found {result.segment_samples}")
    return result


def main() -> int:
    options = parse()
    from python.exporters.demucs import export  # PyTorch, which options need not wait for

    return run_export(lambda: export.export(options), options.output)


if __name__ == "__main__":
    sys.exit(main())
