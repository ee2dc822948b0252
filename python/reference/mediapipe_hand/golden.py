"""Writes tests/golden/mediapipe_hand: what MediaPipe's networks say of a frame, as networks that say nothing else.

`mediapipe.json` beside them is by the `mediapipe` package (peer.py, which must run first and leaves the frame). A test that feeds
one to the other compares everything around the networks with MediaPipe's own results. The NumPy reading is compared here.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import onnx
from PIL import Image

from python.exporters import mediapipe_hand as exporter
from python.exporters.common.mediapipe_tflite import convert_tflite
from python.reference.mediapipe_face import detector
from python.reference.mediapipe_face.golden import run, saying
from python.reference.mediapipe_hand import landmark
from python.reference.mediapipe_hand.constants import LANDMARK, PALM

ASSETS = Path(".deps/assets")
FOLDER = Path("tests/golden/mediapipe_hand")


def main() -> None:
    frame = FOLDER / "frame.png"
    image = np.asarray(Image.open(frame).convert("RGB"))
    expected = json.loads((FOLDER / "mediapipe.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        paths = [convert_tflite(ASSETS / f"{name}.tflite", Path(folder), "nhwc", exporter.NETWORKS, "hand")[1]
                 for name in ("palm_detection_full", "hand_landmark_full")]
        tensor, box = detector.preprocess(image, PALM)
        regressors, classificators = run(paths[0], tensor)
        palm = detector.postprocess(regressors, classificators, box, PALM)[0]
        region = landmark.palm_region(palm, LANDMARK)
        outputs = run(paths[1], landmark.preprocess(image, region, LANDMARK))
    # The C++ test reads one landmark answer for the first palm; the rows of the others say so little that they stay out.
    onnx.save(saying("palm", PALM.size, {"regressors": regressors, "classificators": classificators}), FOLDER / "palm.onnx")
    names = exporter.NETWORKS[1].output_names
    onnx.save(saying("landmark", LANDMARK.size, dict(zip(names, outputs, strict=True))), FOLDER / "landmark.onnx")
    hand = landmark.postprocess(outputs, region, LANDMARK)
    difference = np.abs(hand.points[:, :2] - np.array(expected["hands"][0]["landmarks"])[:, :2]).max()
    world = np.abs(hand.world * 1000 - np.array(expected["hands"][0]["world_landmarks"])).max()
    print(f"palm box {np.abs(palm.box - expected['palms'][0]['box']).max():.4f} px, landmarks {difference:.4f} px, world landmarks {world:.4f} mm from MediaPipe")
    frame.unlink()


if __name__ == "__main__":
    main()
