"""How the export of a graph ends: compared, with its batch, or not written."""

from __future__ import annotations

import sys
from pathlib import Path

from python.exporters.common.batch import set_batch
from python.exporters.common.unsupported import UnsupportedModelError


def finish_graph(path: Path, differences: dict[str, float], tolerance: float, batch: int | str, of: str = "") -> bool:
    """Says by how much each output differs from PyTorch and gives the graph its batch.

    What differs by more than the tolerance, or cannot have the batch, is removed, and why is said.
    """
    for name, difference in differences.items():
        print(f"{name}: differs from PyTorch by {difference:.2g}{of}")
    try:
        if not all(difference <= tolerance for difference in differences.values()):
            raise UnsupportedModelError(f"the graph differs from PyTorch by more than {tolerance:g}{of}")
        set_batch(path, batch)
    except UnsupportedModelError as error:
        path.unlink()
        print(f"not written: {error}", file=sys.stderr)
        return False
    return True
