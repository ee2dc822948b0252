"""How every export ends: compared, with its batch, in its place, or not written."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from python.exporters.common.batch import set_batch
from python.exporters.common.model_folder import put_in_place
from python.exporters.common.unsupported import UnsupportedModelError


class DifferenceError(Exception):
    """A graph differs from PyTorch by more than its tolerance."""


@dataclasses.dataclass
class Checked:
    """How near a graph of a folder came to PyTorch."""
    name: str
    max_abs: float  # largest difference of all inputs tried
    relative_rms: float
    tolerance: float  # of max_abs
    of: str = ""  # what max_abs is a part of

    def within(self) -> bool:
        return self.max_abs <= self.tolerance  # written so that a NaN fails


@dataclasses.dataclass
class Report:
    """The graphs of a folder that were compared so far."""
    checked: list[Checked] = dataclasses.field(default_factory=list)

    def add(self, checked: Checked) -> None:
        """Says what was found. Raises DifferenceError beyond the tolerance."""
        import torch

        self.checked.append(checked)
        print(f"{checked.name}: max |difference| to PyTorch {torch.__version__} {checked.max_abs:.2e}{checked.of}, "
              f"relative RMS {checked.relative_rms:.2e}", flush=True)
        if not checked.within():
            raise DifferenceError(f"{checked.name} differs from PyTorch by {checked.max_abs:.2e}{checked.of}, "
                                  f"more than {checked.tolerance:g}")


def trace(module, example: tuple, path: Path, inputs: list[str], outputs: list[str], opset: int, **further) -> None:
    """PyTorch's own tracing exporter, without what it warns of."""
    import torch

    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module, example, str(path), input_names=inputs, output_names=outputs, opset_version=opset, dynamo=False,
                          **further)


def finish_graph(path: Path, differences: dict[str, float], tolerance: float, batch: int | str, of: str = "") -> None:
    """Says by how much each output differs from PyTorch and gives the graph its batch.

    What differs by more than the tolerance, or cannot have the batch, is removed, and why is raised.
    """
    for name, difference in differences.items():
        print(f"{name}: differs from PyTorch by {difference:.2g}{of}")
    try:
        if not all(difference <= tolerance for difference in differences.values()):
            raise DifferenceError(f"the graph differs from PyTorch by more than {tolerance:g}{of}")
        set_batch(path, batch)
    except (DifferenceError, UnsupportedModelError):
        path.unlink()
        raise


@contextlib.contextmanager
def finished_folder(output: Path) -> Iterator[Path]:
    """A folder to fill; it gets the name of the output when nothing was raised, and leaves nothing else."""
    output.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{output.name}.", dir=output.parent))
    try:
        yield work
        put_in_place(work, output)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def run_export(write: Callable[[], object], output: Path) -> int:
    """The end of an exporter's command: what it wrote, or why it wrote nothing. @return the exit status"""
    try:
        write()
    except DifferenceError as error:
        print(f"not written: {error}", file=sys.stderr)
        return 1
    except (UnsupportedModelError, OSError) as error:
        print(f"not exported: {error}", file=sys.stderr)
        return 1
    print(f"written: {output}")
    return 0
