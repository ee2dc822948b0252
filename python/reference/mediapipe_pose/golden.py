"""Writes tests/golden/mediapipe_pose: what MediaPipe's networks say of the astronaut, as networks that say nothing else.

`mediapipe.json` beside them is by the `mediapipe` package (peer.py, which runs first). A test that feeds one to the other compares
everything around the networks with MediaPipe's own results. The NumPy reading is compared here.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import onnx
from PIL import Image

from python.exporters import mediapipe_pose as exporter
from python.exporters.common.mediapipe_tflite import convert_tflite
from python.reference.mediapipe_face import detector
from python.reference.mediapipe_face.golden import run, saying
from python.reference.mediapipe_pose import landmark
from python.reference.mediapipe_pose.constants import LANDMARK, PERSON

ASSETS = Path(".deps/assets")
FOLDER = Path("tests/golden/mediapipe_pose")


def main() -> None:
    image = np.asarray(Image.open(ASSETS / "astronaut.png").convert("RGB"))
    expected = json.loads((FOLDER / "mediapipe.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        networks, paths = zip(*(convert_tflite(ASSETS / f"{name}.tflite", Path(folder), "nhwc", exporter.NETWORKS, "pose")
                                for name in ("pose_detection", "pose_landmark_full")), strict=True)
        tensor, box = detector.preprocess(image, PERSON)
        regressors, classificators = run(paths[0], tensor)
        person = detector.postprocess(regressors, classificators, box, PERSON)[0]
        region = landmark.circle_region(person.keypoints[0], person.keypoints[1], LANDMARK.region_scale)
        outputs = run(paths[1], landmark.preprocess(image, region, LANDMARK))
    # The map is read within 4 cells of 35 landmarks; what is beyond is made one value, which takes no room in the archive.
    heatmap = np.full_like(outputs[2], -10)
    for index, (x, y) in enumerate(outputs[0].reshape(39, 5)[:35, :2] / 4):
        rows, columns = slice(max(0, int(y) - 5), int(y) + 6), slice(max(0, int(x) - 5), int(x) + 6)
        heatmap[:, rows, columns, index] = outputs[2][:, rows, columns, index]
    outputs[2] = heatmap
    onnx.save(saying("person", PERSON.size, {"regressors": regressors, "classificators": classificators}), FOLDER / "person.onnx")
    onnx.save(saying("landmark", LANDMARK.size, dict(zip(networks[1].output_names, outputs, strict=True))), FOLDER / "landmark.onnx")
    pose = landmark.postprocess(outputs, region, LANDMARK)
    difference = np.abs(pose.points[:, :2] - np.array(expected["landmarks"])[:, :2]).max()
    world = np.abs(pose.world * 1000 - np.array(expected["world_landmarks"])).max()
    print(f"person's box {np.abs(person.box - expected['person']['box']).max():.4f} px, landmarks {difference:.4f} px, "
          f"visibility {np.abs(pose.visibility - expected['visibility']).max():.5f}, world landmarks {world:.4f} mm from MediaPipe")


if __name__ == "__main__":
    main()
