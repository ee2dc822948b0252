"""The peer of mediapipe_face.py and mediapipe_body.py, in its own environment: the `mediapipe` package on frames held in memory, a pass a line.

Speaks as benchmarks/mediapipe_face_bench.cpp does: `mediapipe_face_peer.py FRAME.png …`, modes on standard input.
"""

import json
import os
import sys
import time

os.environ.setdefault("GLOG_minloglevel", "3")
import cv2  # noqa: E402
import mediapipe  # noqa: E402
import numpy as np  # noqa: E402


def solution_of(mode: str):  # noqa: ANN201 - the package's own classes
    if mode in ("short", "full"):
        return mediapipe.solutions.face_detection.FaceDetection(model_selection=int(mode == "full"),
                                                                min_detection_confidence=0.6 if mode == "full" else 0.5)
    if mode.startswith("hand"):
        return mediapipe.solutions.hands.Hands(static_image_mode=mode == "hand still", max_num_hands=2)
    if mode.startswith("pose"):
        return mediapipe.solutions.pose.Pose(static_image_mode=mode == "pose still", model_complexity=1)
    return mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=mode == "still", max_num_faces=1)


def main() -> None:
    frames = [np.ascontiguousarray(cv2.imread(path)[:, :, ::-1]) for path in sys.argv[1:]]
    solutions = {}
    for line in sys.stdin:
        mode = line.strip()
        solution = solutions.setdefault(mode, None) or solution_of(mode)
        solutions[mode] = solution
        if mode.endswith("track"):
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
