"""What the `mediapipe` package itself finds: writes tests/golden/mediapipe_hand/mediapipe.json.

Runs in the environment that `tools/setup.sh mediapipe` makes, on a frame of the test data (SLIPWAY_TEST_DATA), which is not kept:

    .deps/venv-mediapipe/bin/python -m python.reference.mediapipe_hand.peer

It also leaves the frame in tests/golden/mediapipe_hand/frame.png for golden.py, which removes it.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("GLOG_minloglevel", "3")
import cv2  # noqa: E402
import mediapipe  # noqa: E402
import numpy as np  # noqa: E402
from mediapipe.python.solution_base import SolutionBase  # noqa: E402

from python.reference.mediapipe_face.peer import rounded  # noqa: E402

FOLDER = Path("tests/golden/mediapipe_hand")
VIDEO, FRAME = "sam2_02_cups.mp4", 120
GRAPH = "mediapipe/modules/hand_landmark/hand_landmark_tracking_cpu.binarypb"
STREAMS = ["multi_hand_landmarks", "multi_hand_world_landmarks", "multi_handedness", "hand_rects_from_landmarks",
           "hand_rects_from_palm_detections", "palm_detections"]


def read_frame() -> np.ndarray:
    """640×480 RGB: the middle of the frame, at two thirds."""
    video = cv2.VideoCapture(str(Path(os.environ["SLIPWAY_TEST_DATA"]) / "video" / VIDEO))
    for _ in range(FRAME + 1):
        more, frame = video.read()
        if not more:
            raise SystemExit(f"{VIDEO} ends before frame {FRAME}")
    return np.ascontiguousarray(cv2.resize(frame, (853, 480), interpolation=cv2.INTER_AREA)[:, 106:746, ::-1])


def main() -> int:
    image = read_frame()
    height, width = image.shape[:2]
    hands = SolutionBase(binary_graph_path=GRAPH, side_inputs={"model_complexity": 1, "num_hands": 4, "use_prev_landmarks": False}, outputs=STREAMS)
    result = hands.process(input_data={"image": image})

    def region_of(r: object) -> dict:
        return {"centre": [r.x_center * width, r.y_center * height], "side": r.width * width, "angle": r.rotation}

    palms = []
    for found, region in zip(result.palm_detections, result.hand_rects_from_palm_detections, strict=True):
        box = found.location_data.relative_bounding_box
        palms.append({"box": [box.xmin * width, box.ymin * height, (box.xmin + box.width) * width, (box.ymin + box.height) * height],
                      "score": found.score[0], "keypoints": [[k.x * width, k.y * height] for k in found.location_data.relative_keypoints],
                      "region": region_of(region)})
    found = []
    for landmarks, world, handedness, region in zip(result.multi_hand_landmarks, result.multi_hand_world_landmarks, result.multi_handedness,
                                                    result.hand_rects_from_landmarks, strict=True):
        found.append({"landmarks": [[p.x * width, p.y * height, p.z * width] for p in landmarks.landmark],
                      "world_landmarks": [[p.x * 1000, p.y * 1000, p.z * 1000] for p in world.landmark],  # millimetres, for the digits
                      "handedness": handedness.classification[0].label, "handedness_score": handedness.classification[0].score,
                      "next_region": region_of(region)})
    FOLDER.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(FOLDER / "frame.png"), image[:, :, ::-1])
    (FOLDER / "mediapipe.json").write_text(json.dumps(rounded({"mediapipe": mediapipe.__version__, "video": VIDEO, "frame": FRAME,
                                                               "palms": palms, "hands": found})) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
