"""Writes tests/golden/samurai/choices.json: which candidate the original's own code takes where candidates tie, or nearly do.

    PYTHONPATH=.deps/original-samurai .deps/venv-torch/bin/python -m python.reference.samurai.choice_golden

The package (tools/setup.sh samurai) runs its `SAM2Base._forward_sam_heads` as it is; what stands in for its decoder gives masks
that are rectangles, predicted IoUs and an object that is there. A row: `weight` of motion, and `frames` with `boxes` and `ious`
of the three candidates, the `choice`, `stable` frames, `motion` of the chosen one (null where it was not asked), `mean`.
"""

import json
import pathlib
import types

import numpy as np
import torch
from sam2.modeling.sam2_base import SAM2Base
from sam2.utils.kalman_filter import KalmanFilter

FILE = pathlib.Path("tests/golden/samurai/choices.json")
SIDE = 64
STEADY_FRAMES = 16  # from then on motion is asked
BOX = (10, 12, 41, 51)


class Heads:
    """Just so much of a SAM2Base that its choice among candidates runs."""

    def __init__(self, weight: float):
        self.given = None
        self.model = types.SimpleNamespace(
            sam_prompt_embed_dim=1, sam_image_embedding_size=1, pred_obj_scores=True, min_obj_score_logits=-1, image_size=SIDE,
            samurai_mode=True, kf=KalmanFilter(), kf_mean=None, kf_covariance=None, stable_frames=0, stable_frames_threshold=15,
            stable_ious_threshold=0.3, kf_score_weight=weight, frame_cnt=0, history={}, obj_ptr_proj=lambda token: token,
            soft_no_obj_ptr=False, fixed_no_obj_ptr=True, no_obj_ptr=torch.zeros(1, 1))
        encoder = lambda **_: (None, None)  # noqa: E731
        encoder.get_dense_pe = lambda: None
        self.model.sam_prompt_encoder, self.model.sam_mask_decoder = encoder, lambda **_: self.given

    def chosen(self, boxes, ious) -> dict:
        masks = torch.full((1, 3, SIDE, SIDE), -5.0)
        for k, (x0, y0, x1, y1) in enumerate(boxes):
            if (x0, y0, x1, y1) != (0, 0, 0, 0):
                masks[0, k, y0:y1 + 1, x0:x1 + 1] = 5.0
        # A token says which candidate's it is.
        self.given = masks, torch.tensor([ious], dtype=torch.float32), torch.arange(3.0).view(1, 3, 1), torch.tensor([[4.0]])
        found = SAM2Base._forward_sam_heads(self.model, torch.zeros(1, 1, 1, 1), multimask_output=True)
        mean = self.model.kf_mean
        return {"boxes": [list(map(int, box)) for box in boxes], "ious": [float(v) for v in ious], "choice": int(found[5]),
                "stable": self.model.stable_frames, "motion": None if found[8] is None else float(found[8]),
                "mean": [float(v) for v in mean]}


def near(value: float, steps: int) -> np.float32:
    """So many numbers of float32 away."""
    value = np.float32(value)
    for _ in range(abs(steps)):
        value = np.nextafter(value, np.float32(2 if steps > 0 else 0), dtype=np.float32)
    return value


def row(weight: float, generator) -> dict:
    heads, frames = Heads(weight), []
    for frame in range(150):
        level = generator.uniform(0.35, 1)
        boxes = [tuple(np.array(BOX) + (generator.integers(-3, 4) if generator.random() < 0.3 else 0)) for _ in range(3)]
        kind = frame % 5 if frame > STEADY_FRAMES else 0
        if kind == 1:  # the same box thrice, IoUs a few of the smallest steps apart
            boxes, ious = [BOX] * 3, [near(level, int(steps)) for steps in generator.integers(-2, 3, 3)]
        elif kind == 2:
            boxes, ious = [BOX] * 3, [np.float32(level)] * 3
        elif kind == 3:  # no mask at all for some
            boxes, ious = [(0, 0, 0, 0), BOX, (0, 0, 0, 0)], [np.float32(level), near(level, -2), np.float32(level)]
        elif frame == STEADY_FRAMES + 4 or frame == 40 or frame == 3:  # the limit, as a float32 has it
            ious = [np.float32(0.3), np.float32(0.1), np.float32(0.3)]
        else:
            ious = [np.float32(v) for v in generator.uniform(0.35, 1, 3)]
            if generator.random() < 0.3:
                ious[2] = ious[generator.integers(2)]
        frames.append(heads.chosen(boxes, ious))
    return {"weight": weight, "frames": frames}


def main() -> None:
    rows = [row(weight, np.random.default_rng(seed)) for seed, weight in enumerate((0.25, 0.15, 0.25, 0.15))]
    FILE.write_text(json.dumps(rows, separators=(",", ":")).replace('{"boxes"', '\n{"boxes"') + "\n")
    # Where all boxes are the same, motion says the same of them and the best predicted IoU should win.
    wide = sum(frame["choice"] != int(np.argmax(frame["ious"])) for each in rows for frame in each["frames"]
               if frame["motion"] is not None and len(set(map(tuple, frame["boxes"]))) == 1)
    assert wide > 0, "no frame is decided by the rounding of a product"
    print(f"{sum(len(each['frames']) for each in rows)} frames, {wide} of them decided by the rounding of a product")


if __name__ == "__main__":
    main()
