"""Writes tests/golden/boxes/torchvision.npz: overlaps of boxes and what torchvision's NMS keeps of them.

    python -m python.reference.boxes.golden

Boxes come best first, as ours take them; corners are whole and half pixels, so that overlaps equal to the limit occur and are
the same number in both.
"""

import pathlib

import numpy as np
import torch
import torchvision

LIMITS = (0.0, 0.2, 0.25, 0.5, 0.7)


def main() -> None:
    rng = np.random.default_rng(3)
    arrays = {}
    for name, count, span in (("sparse", 40, 200), ("crowded", 120, 60), ("grid", 64, 16)):
        corners = rng.integers(0, span, (count, 2)) / (1 if name == "grid" else 2)
        sizes = rng.integers(1, 9 if name == "grid" else 40, (count, 2)) / (1 if name == "grid" else 2)
        boxes = np.concatenate([corners, corners + sizes], 1)
        classes = rng.integers(0, 3, count).astype(np.int32)
        all_boxes, scores = torch.from_numpy(boxes), torch.arange(count, 0, -1, dtype=torch.float64)
        arrays[f"{name}.boxes"], arrays[f"{name}.classes"] = boxes, classes
        arrays[f"{name}.iou"] = torchvision.ops.box_iou(all_boxes, all_boxes).numpy()
        for limit in LIMITS:
            arrays[f"{name}.kept.{limit}"] = torchvision.ops.nms(all_boxes, scores, limit).numpy()
            kept = torchvision.ops.boxes._batched_nms_vanilla(all_boxes, scores, torch.from_numpy(classes), limit)
            arrays[f"{name}.kept_by_class.{limit}"] = kept.numpy()
    folder = pathlib.Path("tests/golden/boxes")
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / "torchvision.npz", **arrays)


if __name__ == "__main__":
    main()
