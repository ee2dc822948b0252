"""MediaPipe hand and pose at 640×480: our pipelines beside the `mediapipe` Python package, on stills and in tracking.

As mediapipe_face.py: the same frames in memory, turns pass by pass, medians, ratios round by round. The frames are of the
videos of the test data (SLIPWAY_TEST_DATA); without them, or without `tools/setup.sh assets mediapipe`, it says that it
skipped. No goal is set for these; more frames a second than the package is what is looked for.
"""

from __future__ import annotations

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]
from bench_command import build_program, make_parser, write_figures  # noqa: E402
from mediapipe_face import ASSETS, PEER_PYTHON, Program  # noqa: E402

from python.exporters import mediapipe_hand, mediapipe_pose  # noqa: E402

VIDEOS = {"hand": "sam2_02_cups.mp4", "pose": "sam2_05_default_juggle.mp4"}
FILES = {"hand": (mediapipe_hand, ("palm_detection_full.tflite", "hand_landmark_full.tflite")),
         "pose": (mediapipe_pose, ("pose_detection.tflite", "pose_landmark_full.tflite"))}
FRAMES_SCRIPT = """
import sys, cv2
video = cv2.VideoCapture(sys.argv[1])
for number in range(100 + int(sys.argv[3])):
    more, frame = video.read()
    if more and number >= 100:
        cv2.imwrite(f"{sys.argv[2]}/{number:04}.png", cv2.resize(frame, (853, 480), interpolation=cv2.INTER_AREA)[:, 106:746])
"""


def main() -> int:
    parser = make_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--frames", type=int, default=40)
    options = parser.parse_args()
    data = os.environ.get("SLIPWAY_TEST_DATA")
    if not PEER_PYTHON.exists() or not (ASSETS / "hand_landmark_full.tflite").exists() or not data:
        print("skipped: the peer or the videos are missing; `tools/setup.sh assets mediapipe` and SLIPWAY_TEST_DATA")
        return 0
    program = build_program(options.build, "mediapipe_body_bench")
    result: dict = {"benchmark": "mediapipe_body", "frames": options.frames, "rounds": options.rounds, "modes": {}}
    print(f"load average {os.getloadavg()[0]:.1f}; {options.frames} frames of 640x480, {options.rounds} rounds; median milliseconds a frame")
    for kind, (exporter, names) in FILES.items():
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            if exporter.main(["--checkpoint", *(str(ASSETS / file) for file in names), "--output", str(folder / "model")]) != 0:
                return 1
            subprocess.run([str(PEER_PYTHON), "-c", FRAMES_SCRIPT, str(pathlib.Path(data) / "video" / VIDEOS[kind]), name, str(options.frames)], check=True)
            frames = [str(path) for path in sorted(folder.glob("*.png"))]
            programs = {"package": Program([str(PEER_PYTHON), str(ROOT / "benchmarks/mediapipe_face_peer.py"), *frames]),
                        **{f"ours, {threads} threads": Program([str(program), kind, str(folder / "model"), str(threads), *frames]) for threads in (2, 1)}}
            passes: dict = {mode: {who: [] for who in programs} for mode in ("still", "track")}
            found: dict = {mode: {} for mode in passes}
            for number in range(options.rounds + 1):
                for mode in passes:
                    for who in list(programs) if number % 2 == 0 else list(programs)[::-1]:
                        line = programs[who].run(f"{kind} {mode}" if who == "package" else mode)
                        found[mode][who] = line["faces"]
                        if number > 0:
                            passes[mode][who].append(statistics.median(line["times_ms"]))
            for each in programs.values():
                each.close()
        for mode, by_who in passes.items():
            medians = {who: statistics.median(values) for who, values in by_who.items()}
            ratios = {who: statistics.median(theirs / mine for theirs, mine in zip(by_who["package"], values))
                      for who, values in by_who.items() if who != "package"}
            same = sum(mine == theirs for mine, theirs in zip(found[mode]["ours, 2 threads"], found[mode]["package"]))
            result["modes"][f"{kind} {mode}"] = {"median_ms": medians, "ratio_to_package": ratios, "frames_with_the_same_number": same}
            print(f"{kind + ' ' + mode:12}" + "".join(f"{who} {value:.2f}   " for who, value in medians.items())
                  + f"{max(ratios.values()):.2f} x the package's frames a second; {same} of {len(frames)} frames with the same number of {kind}s")
    write_figures(options, result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
