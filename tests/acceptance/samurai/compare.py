"""One run of the original (`original.py follow`) against one of ours: what each frame chose, saw and gave."""

import json
import math
import pathlib

import numpy as np
import PIL.Image


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    either = np.logical_or(one, other).sum()
    return 1.0 if either == 0 else float(np.logical_and(one, other).sum() / either)


def differences(original: pathlib.Path, trace: pathlib.Path, masks: pathlib.Path, of_mask: bool = False) -> list[dict]:
    """A row a frame: what differs of the rules, by name (none: the same), and how far the numbers are apart.

    @param of_mask  the prompt was a mask: there the original's networks answer nothing that is looked at
    """
    with np.load(original) as held:
        theirs, packed, (height, width) = json.loads(str(held["rows"])), held["masks"], held["size"]
    ours = json.loads(trace.read_text())["frames"]
    images = sorted(masks.iterdir())
    if not len(theirs) == len(ours) == len(images) > 0:
        raise ValueError(f"{len(theirs)} frames of the original, {len(ours)} and {len(images)} masks of ours")
    rows = []
    for number, (a, b) in enumerate(zip(theirs, ours)):
        mine = np.array(PIL.Image.open(images[number]).convert("L")) > 127
        mask = np.unpackbits(packed[number], count=height * width).reshape(height, width).astype(bool)
        there = np.argwhere(mine)
        box = [int(v) for v in (*there.min(0)[::-1], *there.max(0)[::-1])] if len(there) else None
        is_prompt_mask = of_mask and number == 0
        different = []
        if not is_prompt_mask and a["choice"] != b["choice"]:
            different.append(f"choice {b['choice']} for {a['choice']}")
        if a["attended"]:
            memory, pointers = ([frame for _, frame in b[name]] for name in ("memory", "pointers"))
            if a["attended"]["memory"] != memory:
                different.append(f"memory {memory} for {a['attended']['memory']}")
            found = a["attended"]["pointers"]
            if len(found) != len(pointers) or any(frame not in same for frame, same in zip(pointers, found)):
                different.append(f"pointers {pointers} for {found}")
        if a["stable"] != b["stable"]:
            different.append(f"stable {b['stable']} for {a['stable']}")
        if (a["mean"] is None) != (b["mean"] is None):
            different.append("filter begun in one only")
        if (a["kf_score"] is None) != (b["kf_score"] is None) and not is_prompt_mask:
            different.append("motion asked in one only")
        rows.append({
            "frame": number, "different": different, "iou": overlap(mask, mine),
            "score": abs(a["score"] - b["object_score"]),
            "ious": 0.0 if is_prompt_mask else float(np.abs(np.array(a["ious"]) - b["ious"]).max()),
            "mean": 0.0 if a["mean"] is None or b["mean"] is None else float(np.abs(np.array(a["mean"]) - b["mean"]).max()),
            "box": 0 if box == a["box"] else math.inf if None in (box, a["box"]) else max(abs(p - q) for p, q in zip(box, a["box"]))})
    return rows
