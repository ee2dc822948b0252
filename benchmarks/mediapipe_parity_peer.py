"""The peer of mediapipe_parity.py, in its own environment: what the `mediapipe` package finds, one JSON line an image.

    mediapipe_parity_peer.py {short,full,mesh,hand,pose} PICTURE.png …
    mediapipe_parity_peer.py frames VIDEO FOLDER      every 20th frame as an image
"""

import json
import os
import sys

os.environ.setdefault("GLOG_minloglevel", "3")
import cv2  # noqa: E402
import mediapipe  # noqa: E402
import numpy as np  # noqa: E402

solutions = mediapipe.solutions
kind = sys.argv[1]
if kind == "frames":
    video, number = cv2.VideoCapture(sys.argv[2]), 0
    while True:
        more, frame = video.read()
        if not more:
            raise SystemExit(0)
        if number % 20 == 0:
            cv2.imwrite(f"{sys.argv[3]}/{number:04}.png", frame)
        number += 1
made = {
    "short": lambda: solutions.face_detection.FaceDetection(model_selection=0, min_detection_confidence=0.5),
    "full": lambda: solutions.face_detection.FaceDetection(model_selection=1, min_detection_confidence=0.6),
    "mesh": lambda: solutions.face_mesh.FaceMesh(static_image_mode=True, max_num_faces=20),
    "hand": lambda: solutions.hands.Hands(static_image_mode=True, max_num_hands=20),
    "pose": lambda: solutions.pose.Pose(static_image_mode=True, model_complexity=1),
}[kind]()
for path in sys.argv[2:]:
    image = np.ascontiguousarray(cv2.imread(path)[:, :, ::-1])
    height, width = image.shape[:2]
    result = made.process(image)
    objects = []
    if kind in ("short", "full"):
        for found in result.detections or []:
            box = found.location_data.relative_bounding_box
            objects.append({"score": found.score[0], "box": [box.xmin * width, box.ymin * height, (box.xmin + box.width) * width,
                                                            (box.ymin + box.height) * height]})
    else:
        lists = {"mesh": "multi_face_landmarks", "hand": "multi_hand_landmarks", "pose": "pose_landmarks"}[kind]
        found = getattr(result, lists) or []
        for number, landmarks in enumerate([found] if kind == "pose" and found else found):
            each = {"landmarks": [[p.x * width, p.y * height, p.z * width] for p in landmarks.landmark]}
            if kind == "hand":
                each["handedness"] = result.multi_handedness[number].classification[0].label.lower()
                each["world_landmarks"] = [[p.x, p.y, p.z] for p in result.multi_hand_world_landmarks[number].landmark]
            if kind == "pose":
                each["visibility"] = [p.visibility for p in landmarks.landmark]
                each["world_landmarks"] = [[p.x, p.y, p.z] for p in result.pose_world_landmarks.landmark]
            objects.append(each)
    print(json.dumps(objects), flush=True)
