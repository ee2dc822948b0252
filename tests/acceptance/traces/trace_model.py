"""Traces rows of tests/acceptance/convert/models.txt by torch.jit.trace: `python tests/acceptance/traces/trace_model.py CACHE
NAME …` writes SOURCE__NAME.pt, and .npz with the inputs and what PyTorch computes. What is there already is kept."""

import pathlib
import sys
import warnings

import numpy as np
import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "convert"))

import models  # noqa: E402
from export import flat  # noqa: E402


def main() -> int:
    cache = pathlib.Path(sys.argv[1])
    cache.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for name in sys.argv[2:]:
        stem = cache / name.replace("/", "__")
        if stem.with_name(stem.name + ".npz").exists():
            continue
        module, inputs = models.build(name)
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.jit.trace(module, inputs).save(str(stem.with_name(stem.name + ".pt")))
            outputs = flat(module(*inputs))
        arrays = {f"in_{i}": tensor.numpy() for i, tensor in enumerate(inputs)}
        arrays |= {f"out_{i}": tensor.numpy() for i, tensor in enumerate(outputs)}
        np.savez(stem.with_name(stem.name + ".npz"), **arrays)
    return 0


if __name__ == "__main__":
    sys.exit(main())
