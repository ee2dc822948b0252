"""What the `mediapipe` package itself finds: writes tests/golden/mediapipe_face/mediapipe.json and warp.npz.

Runs in the environment that `tools/setup.sh mediapipe` makes (the package needs an older NumPy than the rest):

    .deps/venv-mediapipe/bin/python -m python.reference.mediapipe_face.peer
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("GLOG_minloglevel", "3")
import cv2  # noqa: E402
import mediapipe  # noqa: E402
import numpy as np  # noqa: E402

IMAGE = Path(".deps/assets/astronaut.png")
FOLDER = Path("tests/golden/mediapipe_face")
# model_selection and default threshold of the package's own graphs
DETECTORS = {"short_range": (0, 0.5), "full_range": (1, 0.6)}


def read_image(path: Path) -> np.ndarray:
    """uint8 [H, W, 3] RGB."""
    return np.ascontiguousarray(cv2.imread(str(path), cv2.IMREAD_COLOR)[:, :, ::-1])


def faces_of(solution: Any, image: np.ndarray) -> list[dict]:
    """Of a FaceDetection, in pixels of the image."""
    height, width = image.shape[:2]
    faces = []
    for found in solution.process(image).detections or []:
        place = found.location_data
        box = place.relative_bounding_box
        faces.append({"box": [box.xmin * width, box.ymin * height, (box.xmin + box.width) * width, (box.ymin + box.height) * height],
                      "score": found.score[0], "keypoints": [[k.x * width, k.y * height] for k in place.relative_keypoints]})
    return faces


def meshes_of(solution: Any, image: np.ndarray) -> list[list[list[float]]]:
    """Of a FaceMesh, in pixels of the image; z as x."""
    height, width = image.shape[:2]
    return [[[p.x * width, p.y * height, p.z * width] for p in face.landmark]
            for face in solution.process(image).multi_face_landmarks or []]


def warps(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Random pixels cut by OpenCV's two warps; `map` is [2, 3], from output to image pixels."""
    arrays: dict[str, np.ndarray] = {"picture": rng.integers(0, 256, (37, 53, 3), np.uint8)}
    for name, angle, scale, centre in (("level", 0.0, 1.0, (26, 18)), ("turned", 0.4, 1.7, (20.3, 15.1)),
                                       ("edge", -2.2, 0.6, (50.5, 33.2)), ("far", 0.1, 1.0, (200, -90))):
        cosine, sine = np.cos(angle) * scale, np.sin(angle) * scale
        map_ = np.array([[cosine, -sine, 0], [sine, cosine, 0]])
        map_[:, 2] = np.array(centre) - map_[:, :2] @ np.array([12.0, 12.0])
        arrays[f"{name}.map"] = map_
        for border, flag in (("zero", cv2.BORDER_CONSTANT), ("replicate", cv2.BORDER_REPLICATE)):
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            arrays[f"{name}.{border}.perspective"] = cv2.warpPerspective(
                arrays["picture"], np.vstack([map_, [0, 0, 1]]), (24, 24), flags=flags, borderMode=flag)
            arrays[f"{name}.{border}.affine"] = cv2.warpAffine(arrays["picture"], map_, (24, 24), flags=flags, borderMode=flag)
    return arrays


def rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return {key: rounded(item) for key, item in value.items()} if isinstance(value, dict) else value


def main() -> int:
    image = read_image(IMAGE)
    result: dict[str, Any] = {"mediapipe": mediapipe.__version__, "picture": IMAGE.name, "detectors": {}}
    for name, (selection, score_min) in DETECTORS.items():
        with mediapipe.solutions.face_detection.FaceDetection(model_selection=selection, min_detection_confidence=score_min) as found:
            result["detectors"][name] = faces_of(found, image)
    with mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True, max_num_faces=5) as mesh:
        result["mesh"] = meshes_of(mesh, image)
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "mediapipe.json").write_text(json.dumps(rounded(result)) + "\n")
    np.savez_compressed(FOLDER / "warp.npz", **warps(np.random.default_rng(4)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
