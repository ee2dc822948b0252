"""Every row of docs/performance.md: which benchmark takes it, in which part of the page it stands."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Benchmark:
    script: str
    section: str
    seconds: int  # of timed rounds, when the whole may take 25 minutes
    rows: tuple[str, ...]


NETWORKS = ("yolov8n", "face_det_lite", "espnetv2", "face_landmark", "hand_landmark", "pose_landmark")
INT8_NETWORKS = ("yolov8n", "face_det_lite")
FACE_SIZES = ("640x480", "1280x720", "1920x1080")
GPU_BATCHES = (1, 4, 8)

BENCHMARKS = (
    Benchmark("machine_peak.py", "The machine", 20, ("machine.float32", "machine.bfloat16")),
    Benchmark("profile_parity.py", "Profiling", 40, ("profile.bench",)),
    Benchmark("hub_bench.py", "Hub", 150, ("hub.ready", "hub.idle", "hub.tiny-job", "hub.upload", "hub.download", "hub.jobs-at-once",
                                           "hub.renewal")),
    Benchmark("convert.py", "Conversion", 90, ("convert.resnet18", "convert.vit_b_16", "convert.yolov8n")),
    Benchmark("networks.py", "Networks alone", 300, (*(f"net.{name}.float32" for name in NETWORKS),
                                                     *(f"net.{name}.bfloat16" for name in NETWORKS),
                                                     *(f"net.{name}.int8" for name in INT8_NETWORKS))),
    Benchmark("face_det_lite.py", "Pictures and videos", 60, (
        *(f"face_det_lite.{size}" for size in FACE_SIZES), *(f"face_det_lite.pre.{size}" for size in FACE_SIZES),
        *(f"face_det_lite.share.{size}" for size in FACE_SIZES), "face_det_lite.w8a8")),
    Benchmark("mediapipe_face.py", "Pictures and videos", 80, ("mediapipe.face.short", "mediapipe.face.full", "mediapipe.face.still",
                                                              "mediapipe.face.track", "mediapipe.face.track.bfloat16")),
    Benchmark("mediapipe_body.py", "Pictures and videos", 100, ("mediapipe.hand.still", "mediapipe.hand.track", "mediapipe.pose.still",
                                                               "mediapipe.pose.track")),
    Benchmark("drone.py", "Pictures and videos", 130, ("yolov8n", "yolov8n.bare", "yolov8n.w8a8", "drone.espnetv2", "drone.ffnet_40s")),
    Benchmark("demucs_bench.py", "Sound", 100, ("demucs.float32", "demucs.bfloat16", "demucs.transforms", "demucs.memory")),
    Benchmark("samurai.py", "Tracking", 330, ("samurai.frame.float32", "samurai.frame.bfloat16", "samurai.memory",
                                              *(f"samurai.{provider}.batch{count}" for provider in ("cuda", "tensorrt") for count in GPU_BATCHES))),
)
ROWS = {row: benchmark for benchmark in BENCHMARKS for row in benchmark.rows}
