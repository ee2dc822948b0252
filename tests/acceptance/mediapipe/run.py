"""MediaPipe's hands and poses with every network that there is, end to end against the `mediapipe` package.

    make acceptance SUITE=mediapipe

The wheel has hands full and lite and the full pose; npm's `@mediapipe/hands` and `@mediapipe/pose` carry hands of another make
and the lite and heavy poses. A row exports the networks, lets `slipway` read a photograph and frames of the test data's videos,
each by itself, and compares all that it finds with what the package finds in the same pixels: as many, the same side of a hand,
landmarks in pixels, visibility and world landmarks in millimetres.
"""

import contextlib
import json
import os
import pathlib
import subprocess
import sys

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(HERE.parent))

from suite import Suite, run  # noqa: E402

# Kind, the package's model_complexity, where the landmark networks are from, and their names.
ROWS = {
    "hand_lite": ("hand", 0, "wheel", ("palm_detection_lite", "hand_landmark_lite")),
    "hand_full": ("hand", 1, "wheel", ("palm_detection_full", "hand_landmark_full")),
    "hand_lite_npm": ("hand", 0, "npm", ("palm_detection_lite", "hand_landmark_lite")),
    "hand_full_npm": ("hand", 1, "npm", ("palm_detection_full", "hand_landmark_full")),
    "pose_lite": ("pose", 0, "npm", ("pose_detection", "pose_landmark_lite")),
    "pose_full": ("pose", 1, "npm", ("pose_detection", "pose_landmark_full")),
    "pose_heavy": ("pose", 2, "npm", ("pose_detection", "pose_landmark_heavy")),
}
VIDEOS = {"hand": ("sam2_02_cups.mp4", (60, 120, 180)), "pose": ("sam2_05_default_juggle.mp4", (0, 40, 80))}
# Pixels on the mean of a hand's or a body's landmarks; images are 0.5 to 1 megapixels.
MEAN_MAX, WORLD_MM_MAX, VISIBILITY_MAX = 0.5, 3.0, 0.01


def make_images(python: str, data: pathlib.Path, folder: pathlib.Path, kind: str) -> list[pathlib.Path]:
    name, frames = VIDEOS[kind]
    paths = [folder / f"{kind}-{frame}.png" for frame in frames]
    if not all(path.exists() for path in paths):
        folder.mkdir(parents=True, exist_ok=True)
        code = ("import cv2, sys\nvideo, wanted = cv2.VideoCapture(sys.argv[1]), dict(zip(map(int, sys.argv[2::2]), sys.argv[3::2]))\n"
                "for number in range(max(wanted) + 1):\n there, frame = video.read()\n"
                " if number in wanted: cv2.imwrite(wanted[number], frame)\n")
        pairs = [str(word) for frame, path in zip(frames, paths) for word in (frame, path)]
        subprocess.run([python, "-c", code, str(data / "video" / name), *pairs], check=True, timeout=300)
    return [ROOT / ".deps/assets/astronaut.png", *paths]


def compared(theirs: list[list[dict]], ours: list[list[dict]]) -> dict:
    """The largest of each difference; an object of theirs is that of ours whose landmarks are nearest."""
    row = {"objects": sum(map(len, theirs)), "pixels": 0.0, "farthest": 0.0, "world_mm": 0.0, "visibility": 0.0}
    for number, (expected, found) in enumerate(zip(theirs, ours, strict=True)):
        if len(expected) != len(found):
            return row | {"status": "wrong", "reason": f"picture {number}: {len(found)} for {len(expected)}"}
        for each in expected:
            place = np.array(each["landmarks"])[:, :2]
            distances = [np.linalg.norm(np.array(other["landmarks"])[:, :2] - place, axis=1) for other in found]
            nearest = int(np.argmin([distance.mean() for distance in distances]))
            other = found[nearest]
            row["pixels"] = max(row["pixels"], float(distances[nearest].mean()))
            row["farthest"] = max(row["farthest"], float(distances[nearest].max()))
            world = np.linalg.norm(np.array(other["world_landmarks"]) - each["world_landmarks"], axis=1)
            row["world_mm"] = max(row["world_mm"], 1000 * float(world.max()))
            if "visibility" in each:
                row["visibility"] = max(row["visibility"], float(np.abs(np.array(other["visibility"]) - each["visibility"]).max()))
            elif other["handedness"] != each["handedness"]:
                return row | {"status": "wrong", "reason": f"picture {number}: a {other['handedness']} hand for a {each['handedness']} one"}
    limits = {"pixels": MEAN_MAX, "world_mm": WORLD_MM_MAX, "visibility": VISIBILITY_MAX}
    # Also what is not a number is beyond them.
    beyond = [name for name, limit in limits.items() if not row[name] <= limit]
    if row["objects"] == 0:
        return row | {"status": "wrong", "reason": "the package finds nothing in these pictures: nothing was compared"}
    return row | ({"status": "wrong", "reason": f"beyond the limit: {', '.join(beyond)}"} if beyond else {"status": "passed"})


class Mediapipe(Suite):
    name = "mediapipe"
    description = __doc__.splitlines()[0]
    heading = f"{'objects':>8}{'pixels':>8}{'farthest':>10}{'world mm':>10}{'visibility':>12}"

    def rows(self) -> list[str]:
        return list(ROWS)

    def add_arguments(self, parser) -> None:
        parser.add_argument("--package", default=".deps/venv-mediapipe/bin/python", help="a Python with the mediapipe package")
        parser.add_argument("--networks", type=pathlib.Path, default=pathlib.Path(".deps/mediapipe-networks"),
                            help="folder with npm's networks (tools/setup.sh mediapipe-networks)")
        parser.add_argument("--data", type=pathlib.Path,
                            default=pathlib.Path(os.environ.get("SLIPWAY_TEST_DATA", ROOT.parent / "shared" / "data")))

    def opened(self, arguments):
        return contextlib.nullcontext(lambda name: measured(name, arguments))

    def line(self, row: dict) -> str:
        if "pixels" not in row:
            return row.get("reason", "")
        return (f"{row['objects']:8}{row['pixels']:8.3f}{row['farthest']:10.3f}{row['world_mm']:10.3f}{row['visibility']:12.1e}"
                + (f"  {row['reason']}" if row.get("reason") else ""))

    def closing(self, arguments, rows: list[dict]) -> list[str]:
        return ["pixels: of an object's landmarks from the package's, on the mean; farthest: a single one. The worst object counts."]


def measured(name: str, arguments) -> dict:
    kind, complexity, source, networks = ROWS[name]
    assets = ROOT / ".deps/assets"
    landmarks = arguments.networks if source == "npm" else assets
    files = [assets / f"{networks[0]}.tflite", landmarks / f"{networks[1]}.tflite"]
    video = arguments.data / "video" / VIDEOS[kind][0]
    if missing := [str(path) for path in (*files, video) if not path.exists()]:
        return {"status": "not possible", "reason": f"not here: {', '.join(missing)}"}
    images = make_images(arguments.package, arguments.data, arguments.cache / "pictures", kind)
    model, theirs = arguments.cache / name, arguments.cache / f"{name}.json"
    subprocess.run([sys.executable, "-m", f"python.exporters.mediapipe_{kind}", "--checkpoint", *map(str, files), "--output", str(model)],
                   cwd=ROOT, check=True, stdout=subprocess.DEVNULL, timeout=1800)
    if not theirs.exists():
        subprocess.run([arguments.package, str(HERE / "package.py"), kind, str(complexity), str(landmarks), str(theirs), *map(str, images)],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=1800)
    most = ["--max-hands", "4"] if kind == "hand" else []
    ours = []
    for image in images:  # one by one: frames of a folder would be followed
        done = subprocess.run([str(arguments.build / "slipway"), f"mediapipe-{kind}", str(model), str(image), "--json", *most],
                              check=True, capture_output=True, text=True, timeout=1800)
        ours.append(json.loads(done.stdout)["hands" if kind == "hand" else "poses"])
    return compared(json.loads(theirs.read_text()), ours)


if __name__ == "__main__":
    sys.exit(run(Mediapipe()))
