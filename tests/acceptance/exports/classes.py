"""Compares the classes that a job of yolov8_det gave with PyTorch's: the export itself leaves them out of its comparison.

    .deps/venv-exports/bin/python tests/acceptance/exports/classes.py CHECKPOINT JOB

A class may differ only where the two best scores are nearer to each other than the job's scores are to PyTorch's. Prints one
JSON object; QAIHUB_CLIENT_INI names the hub, QAIHM_STORE_ROOT the images.
"""

import json
import sys

import numpy as np
import qai_hub
import torch
from qai_hub_models.models.yolov8_det import Model


def main() -> int:
    checkpoint, job = sys.argv[1:]
    given = {name: np.asarray(samples[0]) for name, samples in qai_hub.get_job(job).download_output_data().items()}
    model = Model.from_pretrained(checkpoint)
    (image,) = model.sample_inputs(model.get_input_spec(), use_channel_last_format=False).values()
    with torch.no_grad():
        planes = torch.from_numpy(image[0])
        _, scores, classes = (each.numpy() for each in model(planes))
        _, of_classes = model.model(planes)  # [1, 80, 8400]
    best, second = np.sort(of_classes.numpy(), axis=1)[:, ::-1][:, :2].swapaxes(0, 1)
    error = float(np.abs(given["scores"].astype(np.float64) - scores).max())
    differ = given["class_idx"].reshape(classes.shape) != classes
    print(json.dumps({"classes": int(classes.size), "different": int(differ.sum()), "score_error": error,
                      "different_beyond_error": int((differ & (best - second > 2 * error)).sum())}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
