"""What is followed through one video ends with it: a second one is seen as if it were the first."""

import io
from pathlib import Path

import pytest
from PIL import Image

from python.exporters import mediapipe_face, mediapipe_hand, mediapipe_pose
from python.tests.commands import GOLDEN, run_json

KINDS = {"mediapipe-face": (mediapipe_face, ("face_detection_short_range.tflite", "face_landmark.tflite"), "faces"),
         "mediapipe-hand": (mediapipe_hand, ("palm_detection_lite.tflite", "hand_landmark_lite.tflite"), "hands"),
         "mediapipe-pose": (mediapipe_pose, ("pose_detection.tflite", "pose_landmark_full.tflite"), "poses"),
         "drone": (None, (), "objects")}


def video(path: Path, image: Image.Image, step: int) -> Path:
    """A view of the image that moves by so many pixels a frame."""
    frames = io.BytesIO()
    for number in range(6):
        image.crop((number * step, 0, 400 + number * step, 400)).save(frames, "JPEG", quality=95)
    path.write_bytes(frames.getvalue())
    return path


def frames_of(words: list, plural: str) -> list[dict]:
    """Frames without times; tracks are counted from the first of each video, since no number is used twice."""
    status, lines, errors = run_json(*words, "--threads", 1)
    assert status == 0, errors
    frames = [line for line in lines if "frame" in line]
    first = 0
    for frame in frames:
        for name in ("timing_ms", "rates"):
            frame.pop(name, None)
        if frame["frame"] == 0:
            first = min((each["track"] for each in frame[plural]), default=first)
        for each in frame[plural]:
            each["track"] -= first
    return frames


@pytest.mark.parametrize("verb", KINDS)
def test_a_second_video_begins_anew(asset, tmp_path, verb):
    exporter, names, plural = KINDS[verb]
    image = Image.open(asset("astronaut.png")).convert("RGB")
    one, other = video(tmp_path / "one.mjpeg", image, 4), video(tmp_path / "other.mjpeg", image, 18)
    if exporter is None:
        words = [verb, "--detector", GOLDEN / "yolov8/tiny.onnx"]
    else:
        assert exporter.main(["--checkpoint", *(str(asset(name)) for name in names), "--output", str(tmp_path / "model")]) == 0
        words = [verb, tmp_path / "model", "--score-min", "0.05", "--presence-min", "0"]
    alone = frames_of([*words, other], plural)
    assert any(frame[plural] for frame in alone[1:]), "something is followed"
    assert frames_of([*words, one, other], plural)[6:] == alone
    assert frames_of([*words, other, other], plural) == [*alone, *alone]
