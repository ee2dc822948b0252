"""What the `mediapipe` package itself finds: writes tests/golden/mediapipe_pose/mediapipe.json.

Runs in the environment that `tools/setup.sh mediapipe` makes, on the assets' photograph and frames of the test data:

    .deps/venv-mediapipe/bin/python -m python.reference.mediapipe_pose.peer
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("GLOG_minloglevel", "3")
import mediapipe  # noqa: E402
from mediapipe.python.solution_base import SolutionBase  # noqa: E402

from python.reference.mediapipe_face.peer import IMAGE, read_image, rounded  # noqa: E402

FOLDER = Path("tests/golden/mediapipe_pose")
GRAPH = "mediapipe/modules/pose_landmark/pose_landmark_cpu.binarypb"
STREAMS = ["pose_landmarks", "pose_world_landmarks", "pose_detection", "pose_rect_from_detection", "pose_rect_from_landmarks"]


def main() -> int:
    image = read_image(IMAGE)
    height, width = image.shape[:2]
    pose = SolutionBase(binary_graph_path=GRAPH, outputs=STREAMS,
                        side_inputs={"model_complexity": 1, "smooth_landmarks": False, "use_prev_landmarks": False,
                                     "enable_segmentation": False, "smooth_segmentation": False})
    result = pose.process(input_data={"image": image})

    def region_of(r: object) -> dict:
        return {"centre": [r.x_center * width, r.y_center * height], "side": r.width * width, "angle": r.rotation}

    place = result.pose_detection.location_data
    box = place.relative_bounding_box
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "mediapipe.json").write_text(json.dumps(rounded({
        "mediapipe": mediapipe.__version__, "picture": IMAGE.name,
        "person": {"box": [box.xmin * width, box.ymin * height, (box.xmin + box.width) * width, (box.ymin + box.height) * height],
                   "score": result.pose_detection.score[0], "keypoints": [[k.x * width, k.y * height] for k in place.relative_keypoints],
                   "region": region_of(result.pose_rect_from_detection)},
        "landmarks": [[p.x * width, p.y * height, p.z * width] for p in result.pose_landmarks.landmark],
        "visibility": [p.visibility for p in result.pose_landmarks.landmark],
        "world_landmarks": [[p.x * 1000, p.y * 1000, p.z * 1000] for p in result.pose_world_landmarks.landmark],  # millimetres, for the digits
        "next_region": region_of(result.pose_rect_from_landmarks)})) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
