"""Writes tests/golden/yolov8/ultralytics.npz: what `ultralytics` itself makes of the outputs in postprocess.npz.

    .deps/venv-torch/bin/python -m python.reference.yolov8.ultralytics_golden

Its own suppression by class and its own way from the network's pixels to the image's. FORM.objects is [objects, 6]: corners,
score, class. Where its letterbox has another size than ours (it rounds 57.6 rows to 58, Qualcomm's cuts to 57), it is told ours,
as it lets others tell it theirs.
"""

import json
import pathlib

import numpy as np
import torch
from ultralytics.utils import nms, ops

from python.reference.face_det_lite.preprocess import place
from python.reference.yolov8 import postprocess
from python.reference.yolov8.golden import CLASSES, HEIGHT, SCALES, WIDTH, dequantize

FOLDER = pathlib.Path("tests/golden/yolov8")
# What it asks of anchors is a score above the limit, what ours asks is one not below: no score of the golden lies between.
SCORE_MIN = float(np.nextafter(np.float32(postprocess.SCORE_MIN), np.float32(0)))


def prediction(form: str, given: dict[str, np.ndarray]) -> np.ndarray:
    """[1, 4 + classes, anchors], as the network of `ultralytics` gives it."""
    channels_last = form.endswith("_last")
    parts = [given[name] for name in ("output0",) if name in given] or [given["boxes"], given["scores"]]
    if "quantised" in form:
        parts = [dequantize(part, *SCALES[name]) for part, name in zip(parts, ("boxes", "scores"))]
    parts = [part.transpose(0, 2, 1) if channels_last else part for part in parts]
    return np.concatenate(parts, 1)[:, :4 + CLASSES].astype(np.float32)


def main() -> None:
    arrays = np.load(FOLDER / "postprocess.npz")
    results = {}
    for case in json.loads((FOLDER / "postprocess.json").read_text())["cases"]:
        form, (width, height) = case["form"], case["picture"]
        if form == "chosen":  # the class is chosen in the graph: no output of `ultralytics`
            continue
        given = {name: arrays[f"{form}.{name}"] for name in case["outputs"]}
        found = nms.non_max_suppression(torch.from_numpy(prediction(form, given)), conf_thres=SCORE_MIN, iou_thres=case["iou_max"],
                                        nc=CLASSES, max_det=postprocess.MOST_OBJECTS)[0]
        where = place(width, height, WIDTH, HEIGHT, "letterbox")
        ours = ((where.scale_y, where.scale_x), (where.pad_left, where.pad_top))
        ops.scale_boxes((HEIGHT, WIDTH), found[:, :4], (height, width), ratio_pad=ours)
        results[f"{form}.objects"] = found[:, :6].numpy()
        assert len(found) > 5, form
    np.savez_compressed(FOLDER / "ultralytics.npz", **results)
    print({name: len(value) for name, value in results.items()})


if __name__ == "__main__":
    main()
