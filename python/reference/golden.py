"""Writes the committed test data anew: `make golden`. One line a generator; each knows its own folder below tests/golden."""

from python.reference import media_golden, tensor_golden, tiny_models
from python.reference.face_det_lite import golden as face_det_lite_golden
from python.reference.mediapipe_face import golden as mediapipe_face_golden
from python.reference.segmentation import golden as segmentation_golden
from python.reference.yolov8 import golden as yolov8_golden
from python.reference.samurai import geometry_golden, trace_golden

GENERATORS = [
    ("arrays for src/tensor", tensor_golden.main),
    ("tiny models for src/runtime", tiny_models.main),
    ("pictures for src/media", media_golden.main),
    ("face_det_lite", face_det_lite_golden.main),
    ("MediaPipe face", mediapipe_face_golden.main),
    ("YOLOv8", yolov8_golden.main),
    ("segmentation", segmentation_golden.main),
    ("rules of SAMURAI", trace_golden.main),
    ("frames and masks of SAMURAI", geometry_golden.main),
]


def main() -> None:
    for name, write in GENERATORS:
        print(name)
        write()


if __name__ == "__main__":
    main()
