"""Exports MediaPipe's pose networks to a model folder that `slipway mediapipe-pose` takes.

    python -m python.exporters.mediapipe_pose --checkpoint pose_detection.tflite pose_landmark_full.tflite --output DIR

The `.tflite` files are those of the `mediapipe` wheel (mediapipe/modules, Apache-2.0); `tools/setup.sh assets` puts them into
.deps/assets. The wheel carries the full landmark network; the lite and the heavy one have the same signature. The mask that the
landmark network gives besides is left out, with the layers that serve it alone. With --check each graph is run beside LiteRT; a
difference beyond 1e-4 of an output's range makes the exit status 1.
"""

from __future__ import annotations

import sys
from typing import Any

from python.exporters.common.mediapipe_tflite import Network, describe_detector, run_exporter
from python.reference.mediapipe_pose.constants import LANDMARK, PERSON

NETWORKS = (
    Network("detector", "person", (1, 224, 224, 3), ((1, 2254, 12), (1, 2254, 1)), ("regressors", "classificators"), PERSON.input_range),
    Network("landmark", "pose", (1, 256, 256, 3), ((1, 195), (1, 1), (1, 256, 256, 1), (1, 64, 64, 39), (1, 117)),
            ("landmarks", "presence", "mask", "heatmap", "world_landmarks"), LANDMARK.input_range, ("presence",), ("mask",)),
)


def describe_graph(network: Network) -> dict[str, Any]:
    if network.graph == "detector":
        return describe_detector(PERSON)
    return {"pre": {"range": list(LANDMARK.input_range),
                    "region": {"middle_keypoint": 0, "circle_keypoint": 1, "scale": LANDMARK.region_scale},
                    "resampling": "bilinear", "outside": "replicate"},
            "post": {"landmarks": LANDMARK.landmark_count, "auxiliary": LANDMARK.auxiliary_count, "unit": "pixels of the crop",
                     "columns": ["x", "y", "z", "visibility logit", "presence logit"], "presence": "probability",
                     "presence_min": LANDMARK.presence_min,
                     "heatmap": {"reach": LANDMARK.heatmap_reach, "sure": LANDMARK.heatmap_min}, "world_landmarks": "metres"}}


def main(arguments: list[str] | None = None) -> int:
    return run_exporter("python.exporters.mediapipe_pose", __doc__, "pose", NETWORKS, describe_graph, arguments)


if __name__ == "__main__":
    sys.exit(main())
