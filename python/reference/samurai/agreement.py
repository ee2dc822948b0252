"""Two runs' masks beside each other."""

import numpy as np


def overlaps(reference: np.ndarray, logits: np.ndarray) -> list[float]:
    """IoU of logit > 0, frame by frame, of [frames, h, w]; two empty masks agree."""
    values = []
    for a, b in zip(reference > 0, logits > 0, strict=True):
        either = np.logical_or(a, b).sum()
        values.append(1.0 if either == 0 else float(np.logical_and(a, b).sum() / either))
    return values


def line(values: list[float]) -> str:
    return f"mask IoU over {len(values)} frames: mean {np.mean(values):.4f}, least {min(values):.4f}"
