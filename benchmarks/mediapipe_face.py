"""MediaPipe face at 640×480: our pipeline beside the `mediapipe` Python package, in four modes, and in bf16 by OpenVINO.

All hold the same decoded frames in memory and take turns, pass by pass; a turn is the median frame of a pass. The package runs as it
comes (one thread for its networks) and with as many threads as ours. Needs `tools/setup.sh assets mediapipe openvino`. The frames are a little
film of the assets' photograph; SLIPWAY_TEST_DATA is not needed.
"""

from __future__ import annotations

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]
from bench_command import MEDIAPIPE_PYTHON, build_program, make_parser  # noqa: E402
from bench_row import Contender, Rows, by_turns  # noqa: E402

from python.exporters import mediapipe_face as exporter  # noqa: E402

ASSETS = ROOT / ".deps/assets"
FRAMES = 40
NAMES = {"short": "face detector, short range", "full": "face detector, full range", "still": "face mesh, stills",
         "track": "face mesh, tracking"}
STAGES = ("decoded pixels, 640×480", "objects and landmarks")


def make_frames(folder: pathlib.Path, count: int) -> list[pathlib.Path]:
    """The photograph drifts, turns and comes nearer; each frame is 640×480."""
    image = Image.open(ASSETS / "astronaut.png").convert("RGB")
    paths = []
    for number in range(count):
        part = number / max(count - 1, 1)
        scale = 1.4 - 0.4 * part
        turned = image.rotate(10 * part, resample=Image.Resampling.BICUBIC, center=(224, 130))
        left, top = 224 - 320 * scale / 1.6 + 20 * part, 130 - 160 * scale / 1.6
        paths.append(folder / f"{number:04}.png")
        turned.crop((int(left), int(top), int(left + 640 * scale / 1.6), int(top + 480 * scale / 1.6))).resize((640, 480)).save(paths[-1])
    return paths


class Program:
    """A process that runs a pass for each line it is given."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)

    def run(self, mode: str) -> dict:
        self.process.stdin.write(mode + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args[0]} ended with {self.process.wait()} in mode {mode}: {self.process.stderr.read()[-400:]}")
        return json.loads(line)

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def package(threads: int, frames: list[str]) -> Program:
    return Program([str(MEDIAPIPE_PYTHON), str(ROOT / "benchmarks/mediapipe_face_peer.py"), str(threads), *frames])


def write_row(rows: Rows, row_id: str, what: str, mode: str, their_mode: str, ours: tuple[str, str, list[str]], frames: list[str],
              options, seconds: float, note: str = "", peer_name: str = "mediapipe 0.10.21") -> None:
    """ours: name, precision, command."""
    name, precision, command = ours
    programs = {"ours": Program(command), "default": package(0, frames), "best": package(options.threads, frames)}
    found: dict[str, list[int]] = {}

    def turn(who: str):
        def run() -> float:
            result = programs[who].run(mode if who == "ours" else their_mode)
            found[who] = result["faces"]
            return statistics.median(result["times_ms"])
        return run

    samples = by_turns({who: turn(who) for who in programs}, seconds, options.rounds)
    for each in programs.values():
        each.close()
    same = sum(mine == theirs for mine, theirs in zip(found["ours"], found["best"]))
    rows.write(row_id, what, STAGES, "ms", Contender(name, "best", options.threads, precision, samples["ours"]),
               [Contender(peer_name, "default", 1, samples=samples["default"]),
                Contender(peer_name, "best", options.threads, samples=samples["best"])],
               goal={"of": "ratio", "least": 1.0}, precision_note=note,
               facts={"frames with the same number of objects": f"{same} of {len(frames)}"})


def main() -> int:
    options = make_parser(__doc__).parse_args()
    if not MEDIAPIPE_PYTHON.exists() or not (ASSETS / "face_landmark.tflite").exists():
        print("mediapipe_face.py: the peer is missing; `tools/setup.sh assets mediapipe` makes its environment", file=sys.stderr)
        return 1
    program = build_program(options.build, "mediapipe_face_bench")
    if options.prepare:
        return 0
    rows = Rows(options.output, options.rows)
    wanted = [mode for mode in (*NAMES, "track.bfloat16") if rows.wants(f"mediapipe.face.{mode}")]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for variant, file in (("short", "face_detection_short_range"), ("full", "face_detection_full_range_sparse")):
            if exporter.main(["--checkpoint", str(ASSETS / f"{file}.tflite"), str(ASSETS / "face_landmark.tflite"), "--output", str(folder / variant)]) != 0:
                return 1
        frames = [str(path) for path in make_frames(folder, FRAMES)]
        for mode in wanted:
            base, _, bfloat16 = mode.partition(".")
            precision = "bf16" if bfloat16 else "float32"
            command = [str(program), str(folder / "short"), str(folder / "full"), precision, str(options.threads), *frames]
            ours = ("slipway mediapipe-face" + (", bf16 by OpenVINO" if bfloat16 else ", cpu"), bfloat16 or "float32", command)
            write_row(rows, f"mediapipe.face.{mode}", NAMES[base] + (", bfloat16" if bfloat16 else ""), base, base, ours, frames, options,
                      options.seconds / len(wanted), "the package computes in float32 only" if bfloat16 else "")
    return 0


if __name__ == "__main__":
    sys.exit(main())
