"""The program under test as a user calls it, and the images, songs and streams that tests give it."""

from __future__ import annotations

import json
import os
import struct
import subprocess
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from PIL import Image, ImageOps

REPOSITORY = Path(__file__).resolve().parents[2]
SLIPWAY = Path(os.environ.get("SLIPWAY_BUILD", REPOSITORY / "build/release")) / "slipway"
GOLDEN = REPOSITORY / "tests/golden"
DATA = Path(os.environ.get("SLIPWAY_TEST_DATA", REPOSITORY.parent / "shared/data"))  # networks and images that are not in the repository
DEMUCS = GOLDEN / "demucs/tiny"  # segments of 8192 samples
SEPARATOR = GOLDEN / "demucs/even"  # of the same form; opened in no time: for what stands around the network
SAMURAI = GOLDEN / "samurai/tiny"

needs_slipway = pytest.mark.skipif(not SLIPWAY.is_file(), reason=f"{SLIPWAY} is not built")

# Of the verbs over images and videos: what stands before the inputs.
FRAME_VERBS = {
    "face-det-lite": ["--model", GOLDEN / "face_det_lite/tiny.onnx"],
    "mediapipe-face": ["--detector-only", "--model", GOLDEN / "mediapipe_face/short_range.onnx"],
    "mediapipe-hand": ["--detector-only", "--model", GOLDEN / "mediapipe_hand/palm.onnx"],
    "mediapipe-pose": ["--detector-only", "--model", GOLDEN / "mediapipe_pose/person.onnx"],
    "drone": ["--detector", GOLDEN / "yolov8/tiny.onnx"],
}
frame_verbs = pytest.mark.parametrize("verb", FRAME_VERBS)


def slipway(verb: str, *words: object, **options) -> subprocess.CompletedProcess:
    options = {"capture_output": True, "timeout": 600, **options}
    return subprocess.run([str(SLIPWAY), verb, *map(str, words)], check=False, **options)


def run_frames(verb: str, *words: object, **options) -> subprocess.CompletedProcess:
    return slipway(verb, *FRAME_VERBS[verb], *words, **options)


def lines_of(done: subprocess.CompletedProcess) -> list[dict]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def run_json(verb: str, *words: object, **options) -> tuple[int, list[dict], str]:
    """Exit status, the lines of --json, standard error."""
    done = slipway(verb, *words, "--json", **options)
    return done.returncode, lines_of(done), done.stderr.decode()


def exact_session(model: Path | bytes, threads: int = 0) -> onnxruntime.InferenceSession:
    """ONNX Runtime's Python package on the CPU, with sums of 8-bit products that do not saturate where the CPU has no VNNI."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.x64quantprecision", "1")
    return onnxruntime.InferenceSession(str(model) if isinstance(model, Path) else model, options, providers=["CPUExecutionProvider"])


def read_image(path: Path) -> np.ndarray:
    """As it is shown."""
    return np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGB"))


def sample_image(path: Path, seed: int = 0, size: tuple[int, int] = (64, 48)) -> Path:
    pixels = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def block_image(width: int, height: int) -> Image.Image:
    """Blocks of colour in which small networks find things."""
    blocks = np.random.default_rng(3).integers(0, 256, (max(1, height // 20), max(1, width // 20), 3), dtype=np.uint8)
    return Image.fromarray(blocks).resize((width, height), Image.Resampling.NEAREST)


def stream_of(frames: int, size: tuple[int, int] = (64, 48)) -> bytes:
    """Y4M, which every reader takes as it comes."""
    width, height = size
    rng = np.random.default_rng(frames)
    head = f"YUV4MPEG2 W{width} H{height} F25:1 Ip A1:1 C420jpeg\n".encode()
    return head + b"".join(b"FRAME\n" + rng.integers(0, 255, width * height * 3 // 2, np.uint8).tobytes() for _ in range(frames))


PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE


def write_wav(path: Path, samples: np.ndarray, rate: int = 44100) -> Path:
    """[frames, channels]; integers as 16-bit PCM, others as 32-bit float; more than two channels as 5.1 declares them."""
    data = samples.astype("<i2" if samples.dtype.kind == "i" else "<f4")
    kind, channels, size = PCM if samples.dtype.kind == "i" else FLOAT, samples.shape[1], data.itemsize
    head = struct.pack("<HHIIHH", kind if channels <= 2 else EXTENSIBLE, channels, rate, rate * channels * size, channels * size, size * 8)
    if channels > 2:
        head += struct.pack("<HHIH", 22, size * 8, 0x3F, kind) + b"\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
    body = b"WAVEfmt " + struct.pack("<I", len(head)) + head + b"data" + struct.pack("<I", data.nbytes) + data.tobytes()
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


def song(path: Path, seconds: float = 0.5) -> Path:
    return write_wav(path, (0.3 * np.random.default_rng(1).standard_normal((int(44100 * seconds), 2)) * 20000).astype("<i2"))
