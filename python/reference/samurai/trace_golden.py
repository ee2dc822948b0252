"""Writes tests/golden/samurai/traces/*.json: invented candidates and the decisions that follow from them.

    python -m python.reference.samurai.trace_golden

Each file holds `frames` (what a tracker sees) and `decisions` (what the rules say). Every branch of the rules is met; the
writer asserts it.
"""

import json
import pathlib

import numpy as np

from python.reference.samurai import constants as c
from python.reference.samurai.rules import replay

FOLDER = pathlib.Path("tests/golden/samurai/traces")
EMPTY = [0, 0, 0, 0]
PROMPT = {"frame": 0, "boxes": [[100, 120, 219, 359]], "ious": [0.93], "object_score": 9.5}


def moving(frame: int, shift: float = 0.0) -> list[int]:
    x, y, w, h = 100 + 6.5 * frame + shift, 120 + 2.25 * frame, 119 + 0.5 * frame, 239 - 0.75 * frame
    return [int(v) for v in (x, y, x + w, y + h)]


def candidates(frame: int, ious, score: float, shifts=(0.0, 30.0, 400.0), boxes=None) -> dict:
    return {"frame": frame, "boxes": boxes or [moving(frame, s) for s in shifts], "ious": list(ious), "object_score": score}


def steady() -> list[dict]:
    """Rises to 15; afterwards a far candidate with the best predicted IoU loses against the one where the object is due."""
    frames = [PROMPT]
    for t in range(1, 41):
        ious = (0.90, 0.80, 0.40) if t < 20 or t % 3 else (0.80, 0.20, 0.90)
        frames.append(candidates(t, ious, 8.0))
    return frames


def resets() -> list[dict]:
    """Loses stability before 15 and after it; thresholds are hit exactly."""
    ious = {6: (0.30, 0.29, 0.10), 7: (0.20, 0.25, 0.24), 8: (0.31, 0.30, 0.1), 30: (0.30, 0.05, 0.04), 33: (0.1, 0.29, 0.2),
            34: (0.2, 0.1, 0.05), 35: (0.29, 0.1, 0.1)}
    return [PROMPT] + [candidates(t, ious.get(t, (0.7, 0.6, 0.5)), 3.0) for t in range(1, 60)]


def occlusion() -> list[dict]:
    """Hidden for 25 frames: empty masks, negative score; the memory keeps old frames; then it comes back elsewhere."""
    frames = [PROMPT]
    for t in range(1, 75):
        if 30 <= t < 55:
            frames.append(candidates(t, (0.45, 0.62, 0.31), -4.0 + (t == 40) * 4.0, boxes=[EMPTY, EMPTY, EMPTY]))
        elif 55 <= t < 60:
            frames.append(candidates(t, (0.55, 0.85, 0.5), 5.0, (700.0, 650.0, -300.0)))
        else:
            frames.append(candidates(t, (0.66, 0.71, 0.5), 5.0 if t % 4 else 0.0))
    return frames


def point_prompt() -> list[dict]:
    """Three candidates on the prompt's frame already."""
    return [candidates(t, (0.5, 0.9, 0.7), 4.0) for t in range(22)]


def ties() -> list[dict]:
    """Equal values: the first wins; a mask one row high."""
    frames = [PROMPT]
    for t in range(1, 25):
        row = moving(t)
        row[3] = row[1]
        boxes = [row, row, moving(t)] if t % 5 == 0 else [moving(t), moving(t), moving(t, 9.0)]
        frames.append(candidates(t, (0.5, 0.5, 0.5) if t % 2 else (0.25, 0.75, 0.75), 1.0, boxes=boxes))
    return frames


def drawn() -> list[dict]:
    """200 frames drawn from a seed."""
    rng = np.random.default_rng(6)
    frames = [PROMPT]
    x, y = 100.0, 120.0
    for t in range(1, 200):
        x, y = x + rng.normal(3, 4), y + rng.normal(1, 3)
        boxes = []
        for k in range(3):
            left, top = x + rng.normal(0, 5 + 60 * k), y + rng.normal(0, 5 + 40 * k)
            box = [left, top, left + rng.uniform(60, 160), top + rng.uniform(100, 250)]
            boxes.append(EMPTY if rng.random() < 0.03 else [int(np.clip(v, 0, 1023)) for v in box])
        quality = rng.beta(5, 2) if (t // 40) % 2 == 0 else rng.beta(2, 3)
        ious = [float(np.float32(np.clip(quality + rng.normal(0, 0.1), 0, 1))) for _ in range(3)]
        frames.append({"frame": t, "boxes": boxes, "ious": ious, "object_score": float(np.float32(rng.normal(4, 4)))})
    return frames


TRACES = {"steady": steady, "resets": resets, "occlusion": occlusion, "point_prompt": point_prompt, "ties": ties, "drawn": drawn,
          "single_frame": lambda: [PROMPT]}


def branches(frames: list[dict], decisions: list[dict]) -> set[str]:
    met = set()
    for now, decision, before in zip(frames, decisions, [None, *decisions[:-1]]):
        if len(now["ious"]) == 1:
            met.add("one candidate")
            continue
        iou, best = now["ious"][decision["choice"]], int(np.argmax(now["ious"]))
        was = before["stable"] if before and before["mean"] is not None else None
        if was is None:
            met.add("first filter")
        elif was == 0:
            met.add("filter anew")
        elif was < c.STABLE_FRAMES:
            met.add("early update" if decision["stable"] else "early loss")
        else:
            met.add("late update" if decision["stable"] else "late loss")
            met.add("motion overrules" if decision["choice"] != best else "motion agrees")
            met.add("motion is nothing" if decision["kf_score"] == 0 else "motion is something")
        if iou in (c.STABLE_IOU, c.MEMORY_IOU):
            met.add(f"exactly {iou}")
        if now["object_score"] == 0:
            met.add("score exactly 0")
        filled = [slot for slot, _ in decision["memory"]]
        met.add(f"{len(filled)} memories")
        used = [frame for _, frame in decision["memory"][1:]]
        if used and used != list(range(used[0], now["frame"])):
            met.add("frames left out")
        if len(decision["pointers"]) == c.POINTERS:
            met.add("all pointers")
    return met


EXPECTED = {"one candidate", "first filter", "filter anew", "early update", "early loss", "late update", "late loss",
            "motion overrules", "motion agrees", "motion is nothing", "motion is something", "exactly 0.3", "exactly 0.5",
            "score exactly 0", "frames left out", "all pointers", *(f"{n} memories" for n in range(0, 8))}


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    met = set()
    for name, make in TRACES.items():
        frames = make()
        decisions = replay(frames)
        met |= branches(frames, decisions)
        lines = [f'"frames": [\n{_rows(frames)}\n]', f'"decisions": [\n{_rows(decisions)}\n]']
        (FOLDER / f"{name}.json").write_text("{" + ",\n".join(lines) + "}\n")
    missing = EXPECTED - met
    assert not missing, f"no trace meets: {sorted(missing)}"


def _rows(rows: list[dict]) -> str:
    return ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)


if __name__ == "__main__":
    main()
