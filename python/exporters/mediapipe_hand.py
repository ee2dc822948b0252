"""Exports MediaPipe's hand networks to a model folder that `slipway mediapipe-hand` takes.

    python -m python.exporters.mediapipe_hand --checkpoint palm_detection_full.tflite hand_landmark_full.tflite --output DIR

The `.tflite` files are those of the `mediapipe` wheel (mediapipe/modules, Apache-2.0), lite or full; `tools/setup.sh assets`
puts them into .deps/assets. With --check each graph is run beside LiteRT; a difference beyond 1e-4 of an output's range makes
the exit status 1.
"""

from __future__ import annotations

import sys
from typing import Any

from python.exporters.common.mediapipe_tflite import Network, describe_detector, run_exporter
from python.reference.mediapipe_hand.constants import LANDMARK, PALM

NETWORKS = (
    Network("detector", "palm", (1, 192, 192, 3), ((1, 2016, 18), (1, 2016, 1)), ("regressors", "classificators"), PALM.input_range),
    Network("landmark", "hand", (1, 224, 224, 3), ((1, 63), (1, 1), (1, 1), (1, 63)),
            ("landmarks", "presence", "handedness", "world_landmarks"), LANDMARK.input_range, ("presence", "handedness")),
)


def describe_graph(network: Network) -> dict[str, Any]:
    if network.graph == "detector":
        return describe_detector(PALM)
    return {"pre": {"range": list(LANDMARK.input_range),
                    "region": {"upright_keypoints": list(LANDMARK.palm_keypoints), "shift_down": LANDMARK.palm_shift,
                               "scale": LANDMARK.palm_scale, "square": "longer side"},
                    "resampling": "bilinear", "outside": "replicate"},
            "post": {"landmarks": LANDMARK.landmark_count, "unit": "pixels of the crop", "depth_divisor": LANDMARK.depth_divisor,
                     "presence": "probability", "presence_min": LANDMARK.presence_min,
                     "handedness": "probability of a left hand in a mirrored picture", "world_landmarks": "metres"}}


def main(arguments: list[str] | None = None) -> int:
    return run_exporter("python.exporters.mediapipe_hand", __doc__, "hand", NETWORKS, describe_graph, arguments)


if __name__ == "__main__":
    sys.exit(main())
