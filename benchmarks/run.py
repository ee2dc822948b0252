"""Runs every benchmark of the list, one after the other, so that nothing else of ours shares the machine.

`make bench` calls it. Each benchmark runs the peer in the same process or interleaved, prints its own table and leaves a
JSON file beside the others. Exit status 1 when one could not be run; a missed goal is printed, not a failure.
"""

import argparse
import pathlib
import subprocess
import sys

BENCHMARKS = [
    "profile_parity.py",  # our profiler against a plain ONNX Runtime loop in Python
    "convert.py",         # torch.export archives to ONNX: against PyTorch's exporter
    "demucs_bench.py",    # source separation: PyTorch, a default session, ours
    "samurai.py",         # SAM 2.1 video by component: PyTorch eager, our graphs
    "hub_bench.py",       # the hub: ready, idle, latency, transfers
    "face_det_lite.py",   # faces, float and w8a8, against Python with Pillow and NumPy
    "mediapipe_face.py",  # face detectors and mesh, against the mediapipe package
    "mediapipe_body.py",  # hands and people, against the same
    "drone.py",           # YOLOv8n, float and w8a8, and two networks at once, against OpenCV, NumPy and ultralytics
]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/release", help="folder of the executables")
    parser.add_argument("--output", default="build/bench", help="folder of the JSON files")
    arguments = parser.parse_args()
    here = pathlib.Path(__file__).resolve().parent
    output = pathlib.Path(arguments.output)
    output.mkdir(parents=True, exist_ok=True)
    failed = []
    for name in BENCHMARKS:
        print(f"\n== {name}", flush=True)
        command = [sys.executable, str(here / name), "--build", arguments.build,
                   "--json-file", str(output / (pathlib.Path(name).stem + ".json"))]
        if subprocess.run(command, check=False).returncode != 0:
            failed.append(name)
    if failed:
        print("could not be run: " + ", ".join(failed))
    return 1 if failed else 0


sys.exit(main())
