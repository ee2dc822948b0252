"""Two runs' masks beside each other."""

import numpy as np
import torch
from torch.nn import functional


def masks(logits: np.ndarray, height: int, width: int) -> np.ndarray:
    """[frames, q, q] to bool [frames, height, width], as the tracker's answer."""
    large = functional.interpolate(torch.from_numpy(logits)[:, None], size=(height, width), mode="bilinear", align_corners=False)
    return (large[:, 0] > 0).numpy()


def overlaps(one, other) -> list[float]:
    """IoU of bool masks, frame by frame; two empty ones agree."""
    unions = [np.logical_or(a, b).sum() for a, b in zip(one, other, strict=True)]
    return [1.0 if union == 0 else float(np.logical_and(a, b).sum() / union) for a, b, union in zip(one, other, unions)]


def line(values: list[float]) -> str:
    return f"mask IoU over {len(values)} frames: mean {np.mean(values):.4f}, least {min(values):.4f}"
