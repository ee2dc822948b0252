"""The peer of mediapipe_face.py and mediapipe_body.py, in its own environment: the `mediapipe` package on frames held in memory, a pass a line.

Speaks as benchmarks/mediapipe_face_bench.cpp does: `mediapipe_face_peer.py THREADS FRAME.png …`, modes on standard input. THREADS 0 is
the package as it comes: one thread for its networks. Any other number is put into the graph's own options
(InferenceCalculatorOptions, delegate.xnnpack.num_threads), which the package's Python classes do not reach by themselves. A mode with
" mask" behind it asks the pose for its mask.
"""

import json
import os
import sys
import time

os.environ.setdefault("GLOG_minloglevel", "3")
import cv2  # noqa: E402
import mediapipe  # noqa: E402
from mediapipe.calculators.tensor import inference_calculator_pb2  # noqa: E402
from mediapipe.python import solution_base  # noqa: E402
import numpy as np  # noqa: E402


def give_threads(threads: int) -> None:
    """To every network of the graphs that are made from here on."""
    # The graph as it is about to run goes to this constructor.
    original = solution_base.calculator_graph.CalculatorGraph

    def changed(*arguments, graph_config=None, **rest):
        found = 0
        for node in graph_config.node if graph_config is not None else ():
            if not node.calculator.startswith("InferenceCalculator"):
                continue
            found += 1
            extension = inference_calculator_pb2.InferenceCalculatorOptions.ext
            if node.options.HasExtension(extension):
                node.options.Extensions[extension].delegate.xnnpack.num_threads = threads
            for each in node.node_options:
                if each.type_url.endswith("InferenceCalculatorOptions"):
                    settings = inference_calculator_pb2.InferenceCalculatorOptions.FromString(each.value)
                    settings.delegate.xnnpack.num_threads = threads
                    each.value = settings.SerializeToString()
        if graph_config is None or found == 0:
            raise RuntimeError("the package made a graph without networks: its threads were not set")
        return original(*arguments, graph_config=graph_config, **rest)

    solution_base.calculator_graph.CalculatorGraph = changed


def solution_of(mode: str):  # noqa: ANN201 - the package's own classes
    if mode in ("short", "full"):
        return mediapipe.solutions.face_detection.FaceDetection(model_selection=int(mode == "full"),
                                                                min_detection_confidence=0.6 if mode == "full" else 0.5)
    if mode.startswith("hand"):
        return mediapipe.solutions.hands.Hands(static_image_mode=mode == "hand still", max_num_hands=2)
    if mode.startswith("pose"):
        return mediapipe.solutions.pose.Pose(static_image_mode=mode.startswith("pose still"), model_complexity=1,
                                               enable_segmentation=mode.endswith("mask"))
    return mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=mode == "still", max_num_faces=1)


def main() -> None:
    frames = [np.ascontiguousarray(cv2.imread(path)[:, :, ::-1]) for path in sys.argv[2:]]
    if int(sys.argv[1]):
        give_threads(int(sys.argv[1]))
    solutions = {}
    for line in sys.stdin:
        mode = line.strip()
        solution = solutions.setdefault(mode, None) or solution_of(mode)
        solutions[mode] = solution
        if "track" in mode:
            solution.reset()  # or the first frame goes on from where things were in the last one of the pass before
        times, faces = [], []
        for frame in frames:
            begin = time.perf_counter()
            result = solution.process(frame)
            times.append((time.perf_counter() - begin) * 1e3)
            if mode.startswith("pose"):
                faces.append(int(result.pose_landmarks is not None))
                continue
            found = (result.detections if mode in ("short", "full") else
                     result.multi_hand_landmarks if mode.startswith("hand") else result.multi_face_landmarks)
            faces.append(len(found or []))
        print(json.dumps({"times_ms": times, "faces": faces}), flush=True)


main()
