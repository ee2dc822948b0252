"""Writes tests/golden/samurai/tiny: a very small SAM 2.1 as a model folder, and what the reference tracker makes of a video with it.

    python -m python.reference.samurai.tiny_golden

`frames.u8` holds [frame][64][64][3] RGB; RUN.json the trace, the decisions and what was shown (`box` [x0, y0, x1, y1], `points`
[x, y, label] each, `disc` [x, y, radius], a mask of the pixels nearer than that), and `video_frames` where the whole video is short; RUN.f32 the chosen logits [frame][16][16];
`components.npz` what each component took and gave (`components.py`).
"""

import pathlib

import numpy as np

from python.exporters.samurai import __main__ as command
from python.exporters.samurai import export, tiny
from python.reference.samurai.components import Recorder
from python.reference.samurai.tracker import ReferenceTracker, write_trace

FOLDER = pathlib.Path("tests/golden/samurai/tiny")
FRAMES = 24
BOX, POINT, BESIDE = [10.0, 14.0, 34.0, 40.0], [22.0, 27.0, 1], [50.0, 50.0, 0]
STEADY = [23.0, 33.0, 48.0, 49.0]  # its single mask is shown; BOX's is too unsure of its edge
PROMPTS = {"box": {"box": BOX}, "steady_box": {"box": STEADY}, "mask": {"disc": [21, 27, 13]}, "point": {"points": [POINT]}, "box_and_points": {"box": BOX, "points": [POINT, BESIDE]},
           "short": {"points": [POINT]}}
LENGTHS = {"short": 6, "box_and_points": 6, "steady_box": 6, "mask": 6}


def frames() -> np.ndarray:
    """A bright square on moving stripes, hidden from frame 14 to 17."""
    y, x = np.mgrid[:64, :64]
    result = []
    for t in range(FRAMES):
        base = 90 + 50 * np.sin(0.3 * x + 0.15 * t) * np.cos(0.22 * y)
        image = np.stack([base, base * 0.8 + 20, 200 - base], -1)
        if not 14 <= t < 18:
            left, top = 10 + t, 14 + t // 2
            image[top:top + 26, left:left + 24] = (230, 60 + 5 * t, 40)
        result.append(np.clip(np.rint(image), 0, 255).astype(np.uint8))
    return np.stack(result)


def shown_of(prompt: dict) -> dict:
    """The prompt as the tracker takes it."""
    if "disc" not in prompt:
        return prompt
    (x, y, radius), (down, right) = prompt["disc"], np.mgrid[:64, :64]
    return {"mask": (right - x)**2 + (down - y)**2 < radius**2}


def main() -> None:
    options = command.parse(["--seed", "3", "--output", str(FOLDER), "--name", "sam2.1-test"])
    options.size = "tiny"
    model = tiny.model(3)
    export.export(options, model)
    video = frames()
    video.tofile(FOLDER / "frames.u8")
    for name, prompt in PROMPTS.items():
        recorder = Recorder(is_storing=name == "box")
        length = LENGTHS.get(name, FRAMES)
        tracker = ReferenceTracker(model, recorder=recorder, video_frames=length)
        logits = [tracker.track(frame, **(shown_of(prompt) if t == 0 else {})).numpy() for t, frame in enumerate(video[:length])]
        np.stack(logits).astype(np.float32).tofile(FOLDER / f"{name}.f32")
        if recorder.arrays:
            np.savez_compressed(FOLDER / "components.npz", **recorder.arrays)
        write_trace(FOLDER / f"{name}.json", tracker.document() | {"shown": [prompt | {"video_frames": length}]})


if __name__ == "__main__":
    main()
