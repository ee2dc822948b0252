"""MediaPipe hand and pose at 640×480: our pipelines beside the `mediapipe` Python package, on stills and in tracking.

As mediapipe_face.py: the same decoded frames in memory, turns pass by pass. The package's landmark network computes a mask of the
person whether or not it is asked for, so ours is exported with its mask here; neither's mask is turned into an image. The frames are of
the videos of the test data (SLIPWAY_TEST_DATA).
"""

from __future__ import annotations

import dataclasses
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]
from bench_command import DATA, MEDIAPIPE_PYTHON, build_program, make_parser  # noqa: E402
from bench_row import Rows  # noqa: E402
from mediapipe_face import ASSETS, write_row  # noqa: E402

from python.exporters import mediapipe_hand, mediapipe_pose  # noqa: E402

FRAMES = 30
VIDEOS = {"hand": "sam2_02_cups.mp4", "pose": "sam2_05_default_juggle.mp4"}
FILES = {"hand": (mediapipe_hand, ("palm_detection_full.tflite", "hand_landmark_full.tflite")),
         "pose": (mediapipe_pose, ("pose_detection.tflite", "pose_landmark_full.tflite"))}
NAMES = {"hand": "hands, up to 2", "pose": "pose, with the mask computed"}
WAYS = {"still": "stills", "track": "tracking"}
FRAMES_SCRIPT = """
import sys, cv2
video = cv2.VideoCapture(sys.argv[1])
for number in range(100 + int(sys.argv[3])):
    more, frame = video.read()
    if more and number >= 100:
        cv2.imwrite(f"{sys.argv[2]}/{number:04}.png", cv2.resize(frame, (853, 480), interpolation=cv2.INTER_AREA)[:, 106:746])
"""


def export(kind: str, folder: pathlib.Path) -> int:
    exporter, names = FILES[kind]
    if kind == "pose":
        exporter.NETWORKS = tuple(dataclasses.replace(network, unused=()) for network in exporter.NETWORKS)
    return exporter.main(["--checkpoint", *(str(ASSETS / file) for file in names), "--output", str(folder)])


def main() -> int:
    options = make_parser(__doc__).parse_args()
    if not MEDIAPIPE_PYTHON.exists() or not (ASSETS / "hand_landmark_full.tflite").exists() or not DATA.exists():
        print("mediapipe_body.py: the peer or the videos are missing; `tools/setup.sh assets mediapipe` and SLIPWAY_TEST_DATA", file=sys.stderr)
        return 1
    program = build_program(options.build, "mediapipe_body_bench")
    if options.prepare:
        return 0
    rows = Rows(options.output, options.rows)
    wanted = [(kind, way) for kind in FILES for way in WAYS if rows.wants(f"mediapipe.{kind}.{way}")]
    for kind in FILES:
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            if not any(kind == each for each, _ in wanted):
                continue
            if export(kind, folder / "model") != 0:
                return 1
            subprocess.run([str(MEDIAPIPE_PYTHON), "-c", FRAMES_SCRIPT, str(DATA / "video" / VIDEOS[kind]), name, str(FRAMES)], check=True)
            frames = [str(path) for path in sorted(folder.glob("*.png"))]
            for each, way in wanted:
                if each == kind:
                    command = [str(program), kind, str(folder / "model"), str(options.threads), *frames]
                    write_row(rows, f"mediapipe.{kind}.{way}", f"{NAMES[kind]}, {WAYS[way]}", way, f"{kind} {way}",
                              (f"slipway mediapipe-{kind}, cpu", "float32", command), frames, options, options.seconds / len(wanted))
    return 0


if __name__ == "__main__":
    sys.exit(main())
