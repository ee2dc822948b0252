"""MediaPipe face at 640×480: our pipeline beside the `mediapipe` Python package, in four modes.

Both hold the same frames in memory and take turns, pass by pass; the table shows medians over all passes after the first.
Goals: more frames a second than the package with the detectors (short and full range) and with the mesh on stills, at
least 0.9 times as many when the mesh is tracked, more than the package in bf16 (OpenVINO's, where `tools/setup.sh openvino` was
run); the same faces found. The package's runs use its own number of threads; ours are shown with one thread and with two.
Needs `tools/setup.sh assets mediapipe` and says that it skipped without them. The frames are a little film of the assets'
photograph; SLIPWAY_TEST_DATA is not needed.
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
sys.path.insert(0, str(ROOT))
from bench_command import build_program, make_parser, write_figures  # noqa: E402
from python.exporters import mediapipe_face as exporter  # noqa: E402

ASSETS = ROOT / ".deps/assets"
PEER_PYTHON = pathlib.Path(os.environ.get("SLIPWAY_MEDIAPIPE_PYTHON", ROOT / ".deps/venv-mediapipe/bin/python"))
BF16 = "track, bf16"
GOALS = {"short": 1.0, "full": 1.0, "still": 1.0, "track": 0.9, BF16: 1.0}
NAMES = {"short": "detector, short range", "full": "detector, full range", "still": "mesh, stills", "track": "mesh, tracking",
         BF16: "mesh, tracking, bf16"}


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
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT)

    def run(self, mode: str) -> dict:
        self.process.stdin.write(mode + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args[0]} ended with {self.process.wait()} in mode {mode}")
        return json.loads(line)

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def without_bf16(command: list[str]) -> str:
    """Why it does not run here; empty: it does."""
    done = subprocess.run(command, input="track\n", capture_output=True, text=True, cwd=ROOT, check=False)
    return "" if done.returncode == 0 else done.stderr.strip()


def main() -> int:
    parser = make_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--frames", type=int, default=55)
    options = parser.parse_args()
    if not PEER_PYTHON.exists() or not (ASSETS / "face_landmark.tflite").exists():
        print("skipped: the peer is missing; `tools/setup.sh assets mediapipe` makes its environment")
        return 0
    program = build_program(options.build, "mediapipe_face_bench")

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for variant, file in (("short", "face_detection_short_range"), ("full", "face_detection_full_range_sparse")):
            if exporter.main(["--checkpoint", str(ASSETS / f"{file}.tflite"), str(ASSETS / "face_landmark.tflite"), "--output", str(folder / variant)]) != 0:
                return 1
        frames = [str(path) for path in make_frames(folder, options.frames)]
        peer = Program([str(PEER_PYTHON), str(ROOT / "benchmarks/mediapipe_face_peer.py"), *frames])
        commands = {precision: {f"ours, {threads} threads": [str(program), str(folder / "short"), str(folder / "full"), precision, str(threads), *frames]
                                for threads in (2, 1)} for precision in ("float32", "bf16")}
        skipped = without_bf16(next(iter(commands["bf16"].values())))
        modes = [mode for mode in GOALS if mode != BF16 or not skipped]
        in_float = {"package": peer, **{who: Program(command) for who, command in commands["float32"].items()}}
        in_bf16 = {"package": peer, **{who: Program(command) for who, command in commands["bf16"].items()}} if not skipped else {}
        passes: dict[str, dict[str, list[float]]] = {mode: {who: [] for who in in_float} for mode in modes}
        faces: dict[str, dict[str, list[int]]] = {mode: {} for mode in modes}
        for number in range(options.rounds + 1):
            for mode in modes:
                programs = in_bf16 if mode == BF16 else in_float
                for who in list(programs)[:: 1 if number % 2 == 0 else -1]:
                    result = programs[who].run("track" if mode == BF16 else mode)
                    faces[mode][who] = result["faces"]
                    if number > 0:
                        passes[mode][who].append(statistics.median(result["times_ms"]))
        for each in {*in_float.values(), *in_bf16.values()}:
            each.close()

    result: dict = {"benchmark": "mediapipe_face", "frames": options.frames, "rounds": options.rounds, "load_average": os.getloadavg()[0], "modes": {}}
    print(f"load average {result['load_average']:.1f}; {options.frames} frames of 640x480, {options.rounds} rounds; median milliseconds a frame")
    print(f"{'':24}" + "".join(f"{who:>18}" for who in in_float) + f"{'frames a second':>18}")
    for mode in modes:
        goal = GOALS[mode]
        medians = {who: statistics.median(values) for who, values in passes[mode].items()}
        # Each round's own ratio: what else the machine does weighs on neighbours alike.
        ratios = {who: statistics.median(theirs / mine for theirs, mine in zip(passes[mode]["package"], values))
                  for who, values in passes[mode].items() if who != "package"}
        best = max(ratios.values())
        same = all(found == faces[mode]["package"] for found in faces[mode].values())
        counts = {who: sum(found) for who, found in faces[mode].items()}
        result["modes"][mode] = {"median_ms": medians, "ratio_to_package": ratios, "goal": goal, "same_faces": same, "faces": counts}
        print(f"{NAMES[mode]:24}" + "".join(f"{value:>18.2f}" for value in medians.values()) +
              f"{best:>16.2f} x {'reached' if best >= goal else 'MISSED'} (goal {goal}); "
              f"{counts['package']} faces, {'the same number in every frame' if same else f'OTHERS: {counts}'}")
    if skipped:
        print(f"{NAMES[BF16]:24}skipped: {skipped}")
    write_figures(options, result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
