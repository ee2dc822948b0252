"""Writes archives of the models in models.txt, with inputs and what PyTorch computes from them, into a cache folder.

    python tests/acceptance/convert/export.py CACHE [NAME …]
    python tests/acceptance/convert/export.py CACHE --serve      # names on standard input, "done NAME" on standard output

Leaves CACHE/SOURCE__NAME.pt2 and .npz (in_0 …, out_0 …) for each; what is there already is kept. A model that cannot be
built or exported leaves SOURCE__NAME.failed with the reason. Needs tools/setup.sh torch and assets; rows of the official
package need tools/setup.sh exports.

Each model is built in a process of its own, forked from one that has imported the packages: their seconds are spent once,
and the memory of a large model is back before the next one starts.
"""

import importlib
import os
import pathlib
import sys
import time
import traceback
import warnings

import numpy as np
import torch

import models

warnings.filterwarnings("ignore")


def flat(value) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [tensor for part in value if part is not None for tensor in flat(part)] if isinstance(value, (list, tuple)) else []


def export(name: str, stem: pathlib.Path) -> None:
    with torch.no_grad():
        module, inputs = models.build(name)
        expected = flat(module(*inputs))
        start = time.perf_counter()
        program = torch.export.export(module, inputs, strict=False)
        seconds = time.perf_counter() - start
    torch.export.save(program, stem.with_name(stem.name + ".part.pt2"))
    arrays = {f"in_{i}": tensor.numpy() for i, tensor in enumerate(inputs)}
    arrays |= {f"out_{i}": tensor.detach().numpy() for i, tensor in enumerate(expected)}
    np.savez(stem.with_name(stem.name + ".npz"), **arrays, export_seconds=seconds, torch=torch.__version__)
    stem.with_name(stem.name + ".part.pt2").rename(stem.with_name(stem.name + ".pt2"))


def export_and_say(name: str, stem: pathlib.Path) -> None:
    start = time.perf_counter()
    try:
        export(name, stem)
        print(f"{name}: {time.perf_counter() - start:.1f} s", file=sys.stderr, flush=True)
    except Exception:  # whatever a model or the exporter raises is that row's result
        stem.with_name(stem.name + ".failed").write_text(traceback.format_exc())
        print(f"{name}: {traceback.format_exc().strip().splitlines()[-1][:200]}", file=sys.stderr, flush=True)


def export_forked(name: str, stem: pathlib.Path) -> None:
    child = os.fork()
    if child == 0:
        export_and_say(name, stem)
        sys.stderr.flush()
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status != 0:
        stem.with_name(stem.name + ".part.pt2").unlink(missing_ok=True)
        stem.with_name(stem.name + ".failed").write_text(f"the exporter ended with {status}\n")


def main() -> int:
    cache, serves = pathlib.Path(sys.argv[1]), sys.argv[2:] == ["--serve"]
    cache.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)  # one that was not started is not missing after a fork
    for package in ("torchvision", "timm", "torch.onnx"):
        try:
            importlib.import_module(package)
        except ImportError:
            pass  # a row that needs it says so
    for name in (line.strip() for line in sys.stdin) if serves else sys.argv[2:] or models.names():
        stem = cache / name.replace("/", "__")
        if not stem.with_name(stem.name + ".pt2").exists() and not stem.with_name(stem.name + ".failed").exists():
            export_forked(name, stem)
        if serves:
            print(f"done {name}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
