"""Do `slipway mediapipe-face`, `-hand` and `-pose` find what the `mediapipe` Python package finds?

The same images, brought to 640×480, go to both. Goals: the same objects; boxes overlap by an IoU of 0.95 or more; landmarks
within 1.5 pixels on average. The exit status is 1 where a goal is missed. Needs `tools/setup.sh assets mediapipe`; images
are those of SLIPWAY_TEST_DATA (faces, street, frames of videos), or the assets' photograph alone.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from python.exporters import mediapipe_face, mediapipe_hand, mediapipe_pose  # noqa: E402

ASSETS = ROOT / ".deps/assets"
PEER_PYTHON = pathlib.Path(os.environ.get("SLIPWAY_MEDIAPIPE_PYTHON", ROOT / ".deps/venv-mediapipe/bin/python"))
PEER = ROOT / "benchmarks/mediapipe_parity_peer.py"
IOU_GOAL, LANDMARK_GOAL = 0.95, 1.5
VIDEOS = ("sam2_02_cups", "sam2_05_default_juggle")


def export(kind: str, folder: pathlib.Path) -> None:
    files = {"short": ["face_detection_short_range", "face_landmark"], "full": ["face_detection_full_range_sparse", "face_landmark"],
             "hand": ["palm_detection_full", "hand_landmark_full"],
             "pose": ["pose_detection", "pose_landmark_full"]}[kind]
    exporter = {"hand": mediapipe_hand, "pose": mediapipe_pose}.get(kind, mediapipe_face)
    if exporter.main(["--checkpoint", *(str(ASSETS / f"{name}.tflite") for name in files), "--output", str(folder / kind)]) != 0:
        raise SystemExit(1)


def sample_images(folder: pathlib.Path) -> list[pathlib.Path]:
    data = pathlib.Path(os.environ.get("SLIPWAY_TEST_DATA", ""))
    sources = [ASSETS / "astronaut.png"]
    if os.environ.get("SLIPWAY_TEST_DATA"):
        sources = [path for part in ("faces", "street") for path in sorted((data / "images" / part).iterdir())]
        for video in VIDEOS:
            frames = folder / video
            frames.mkdir()
            subprocess.run([str(PEER_PYTHON), str(PEER), "frames", str(data / "video" / f"{video}.mp4"), str(frames)], check=True)
            sources += sorted(frames.iterdir())
    made = []
    for number, path in enumerate(sources):
        image = Image.open(path).convert("RGB")
        image.thumbnail((640, 480), Image.Resampling.BICUBIC)
        canvas = Image.new("RGB", (640, 480))
        canvas.paste(image, ((640 - image.width) // 2, (480 - image.height) // 2))
        made.append(folder / f"{number:03}_{path.parent.name}_{path.stem}.png")
        canvas.save(made[-1])
    return made


def iou(a: list[float], b: list[float]) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    overlap = max(width, 0) * max(height, 0)
    return overlap / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - overlap)


def spread(landmarks: list[list[float]]) -> list[float]:
    """The box around landmarks."""
    points = np.array(landmarks)[:, :2]
    return [*points.min(axis=0), *points.max(axis=0)]


# kind: our verb, its options, the list of its objects
KINDS = {"short": ("face", ["--detector-only"], "faces"), "full": ("face", ["--detector-only"], "faces"),
         "mesh": ("face", [], "faces"), "hand": ("hand", [], "hands"), "pose": ("pose", [], "poses")}


def compare(kind: str, program: pathlib.Path, model: pathlib.Path, paths: list[pathlib.Path]) -> dict:
    verb, options, plural = KINDS[kind]
    names = [str(path) for path in paths]
    ours = [json.loads(line)[plural] for line in subprocess.run([str(program), f"mediapipe-{verb}", str(model), *names, "--json", *options],
                                                                check=True, capture_output=True, text=True).stdout.splitlines()]
    theirs = [json.loads(line) for line in subprocess.run([str(PEER_PYTHON), str(PEER), kind, *names], check=True,
                                                          capture_output=True, text=True).stdout.splitlines()]
    worst = {"ious": [], "pixels": [], "metres": [], "other_handedness": 0, "missed": [], "extra": []}
    for path, mine, peer in zip(paths, ours, theirs, strict=True):
        is_box = kind in ("short", "full")
        mine = [found for found in mine if is_box or found["landmarks"]]
        left = list(range(len(mine)))
        for expected in peer:
            box = expected["box"] if is_box else spread(expected["landmarks"])
            overlaps = {index: iou(box, mine[index]["box"] if is_box else spread(mine[index]["landmarks"])) for index in left}
            best = max(overlaps, key=overlaps.get, default=None)
            if best is None or overlaps[best] < 0.5:
                worst["missed"].append(path.name)
                continue
            left.remove(best)
            worst["ious"].append(overlaps[best])
            if is_box:
                continue
            difference = np.array(mine[best]["landmarks"])[:, :2] - np.array(expected["landmarks"])[:, :2]
            worst["pixels"].append(float(np.hypot(*difference.T).mean()))
            if "world_landmarks" in expected:
                worst["metres"].append(float(np.abs(np.array(mine[best]["world_landmarks"])[:, :3] - np.array(expected["world_landmarks"])).max()))
            worst["other_handedness"] += mine[best].get("handedness") != expected.get("handedness")
        worst["extra"] += [path.name] * len(left)
    return worst


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release", help="folder of the executables")
    parser.add_argument("--json-file", type=pathlib.Path, help="where the figures go as JSON")
    parser.add_argument("--kinds", nargs="+", choices=tuple(KINDS), default=list(KINDS))
    options = parser.parse_args()
    if not PEER_PYTHON.exists() or not (ASSETS / "face_landmark.tflite").exists():
        print("skipped: the peer is missing; `tools/setup.sh assets mediapipe` makes its environment")
        return 0
    result, fine = {}, True
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        paths = sample_images(folder)
        for kind in options.kinds:
            model = "short" if kind == "mesh" else kind
            if not (folder / model).exists():
                export(model, folder)
            result[kind] = found = compare(kind, options.build / "slipway", folder / model, paths)
            reached = (not found["missed"] and not found["extra"] and min(found["ious"], default=1) >= IOU_GOAL
                       and max(found["pixels"], default=0) <= LANDMARK_GOAL and found["other_handedness"] == 0)
            fine = fine and reached
            line = f"{kind:6}{len(paths)} pictures, {len(found['ious'])} found by both, lowest IoU {min(found['ious'], default=1):.4f}"
            if found["pixels"]:
                line += f", mean landmark distance {np.mean(found['pixels']):.3f}, worst {max(found['pixels']):.3f} px"
            if found["metres"]:
                line += f", world landmarks within {max(found['metres']) * 1000:.2f} mm"
            for key in ("missed", "extra"):
                line += f", {key}: {', '.join(found[key])}" if found[key] else ""
            print(line + (f", OTHER HANDEDNESS {found['other_handedness']}" if found["other_handedness"] else "") + (": reached" if reached else ": MISSED"))
    if options.json_file:
        options.json_file.write_text(json.dumps(result, indent=1) + "\n")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
