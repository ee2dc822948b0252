"""Writes the committed test data anew: `make golden`. One line a generator; each knows its own folder below tests/golden."""

import os
import pathlib
import subprocess

from python.reference import media_golden, tensor_golden, tiny_models, type_golden
from python.reference.demucs import even_golden
from python.reference.face_det_lite import golden as face_det_lite_golden
from python.reference.mediapipe_face import golden as mediapipe_face_golden
from python.reference.mediapipe_pose import golden as mediapipe_pose_golden
from python.reference.segmentation import golden as segmentation_golden
from python.reference.yolov8 import golden as yolov8_golden
from python.reference.samurai import geometry_golden, trace_golden

DEPENDENCIES = pathlib.Path(__file__).resolve().parents[2] / ".deps"
TORCH_PYTHON = DEPENDENCIES / "venv-torch/bin/python"


def by_pytorch(name: str, packages: str = ""):
    """What a module of python.reference writes with PyTorch: it needs the environment that `tools/setup.sh torch` makes.

    @param packages  a folder of .deps with what it imports besides
    """

    def write() -> None:
        if not TORCH_PYTHON.exists() or not (DEPENDENCIES / packages).exists():
            print(f"  kept as it is: PyTorch{' or ' + packages if packages else ''} is not here, see tools/setup.sh")
            return
        environment = os.environ | ({"PYTHONPATH": str(DEPENDENCIES / packages)} if packages else {})
        subprocess.run([TORCH_PYTHON, "-m", f"python.reference.{name}"], cwd=DEPENDENCIES.parent, env=environment, check=True)

    return write


GENERATORS = [
    ("arrays for src/tensor", tensor_golden.main),
    ("tiny models for src/runtime", tiny_models.main),
    ("types of ONNX's operators", type_golden.main),
    ("pictures for src/media", media_golden.main),
    ("face_det_lite", face_det_lite_golden.main),
    ("MediaPipe face", mediapipe_face_golden.main),
    ("MediaPipe pose", mediapipe_pose_golden.main),
    ("YOLOv8", yolov8_golden.main),
    ("YOLOv8 by ultralytics", by_pytorch("yolov8.ultralytics_golden")),
    ("segmentation", segmentation_golden.main),
    ("rules of SAMURAI", trace_golden.main),
    ("frames and masks of SAMURAI", geometry_golden.main),
    ("a separator of four nodes", even_golden.main),
    ("boxes by torchvision", by_pytorch("boxes.golden")),
    ("a small HTDemucs", by_pytorch("demucs.small_golden")),
    ("transforms and resampling by SciPy", by_pytorch("demucs.scipy_golden", "original-samurai")),
    ("a tiny SAM 2.1", by_pytorch("samurai.tiny_golden")),
    ("SAMURAI's choice where candidates tie", by_pytorch("samurai.choice_golden", "original-samurai")),
    ("mask prompts of SAMURAI", by_pytorch("samurai.prompt_golden")),
    ("archives for src/convert/archive", by_pytorch("convert.archive_golden")),
    ("archives for src/convert/torch_script", by_pytorch("convert.torch_script_golden")),
    ("operators for src/convert/operators", by_pytorch("convert.operator_golden")),
]


def main() -> None:
    for name, write in GENERATORS:
        print(name)
        write()


if __name__ == "__main__":
    main()
