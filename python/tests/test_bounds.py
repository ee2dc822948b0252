"""Numbers beyond what the machine has are refused with what it has."""

from __future__ import annotations

import io
import os
import resource
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import onnx
import pytest
from PIL import Image

from python.exporters.common.batch import set_batch
from python.tests.commands import FRAME_VERBS, GOLDEN, SAMURAI, SEPARATOR, SLIPWAY, needs_slipway, slipway, song
from python.tests.ffmpeg import ffmpeg


VERBS = {
    **{verb: [*words, "x.png"] for verb, words in FRAME_VERBS.items()},
    "samurai": ["--model", SAMURAI, "--box", "1,1,9,9", "x.png"],
    "demucs": ["--model", SEPARATOR, "--output", "stems", "x.wav"],
    "infer": [GOLDEN / "models/add.onnx", "--random", 1, "--outputs", "out.npz"],
    "bench": [GOLDEN / "models/add.onnx"],
    "profile": [GOLDEN / "models/add.onnx"],
}

pytestmark = needs_slipway


@pytest.mark.parametrize("count", [100_000, 2_000_000_000])
@pytest.mark.parametrize("verb", VERBS)
def test_threads_beyond_the_machine_are_refused_with_what_it_has(verb: str, count: int, tmp_path: Path) -> None:
    done = slipway(verb, *VERBS[verb], "--threads", count, cwd=tmp_path)
    assert done.returncode != 0
    most = max(64, 4 * os.cpu_count())
    assert f"--threads {count}: this machine runs {os.cpu_count()} threads at once; at most {most} are taken" in done.stderr.decode()


def run(*command: object, memory_bytes: int = 0, **options) -> subprocess.CompletedProcess:
    limit = (lambda: resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))) if memory_bytes else None
    return subprocess.run([str(SLIPWAY), *map(str, command)], check=False, capture_output=True, timeout=120, preexec_fn=limit, **options)


# Sizes that a header states and no memory holds

SIDE = 60000


def small(kind: str) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (64, 48)).save(content, kind)
    return content.getvalue()


def png() -> bytes:
    head = b"IHDR" + struct.pack(">II", SIDE, SIDE)
    rest = small("PNG")[24:29]
    return small("PNG")[:12] + head + rest + struct.pack(">I", zlib.crc32(head + rest)) + small("PNG")[33:]


def jpeg() -> bytes:
    content = small("JPEG")
    at = content.index(b"\xff\xc0") + 5
    return content[:at] + struct.pack(">HH", SIDE, SIDE) + content[at + 4 :]


def bmp() -> bytes:
    content = small("BMP")
    return content[:18] + struct.pack("<ii", SIDE, SIDE) + content[26:]


def gif() -> bytes:
    content = small("GIF")
    at = content.index(b"\x2c")
    size = struct.pack("<HH", SIDE, SIDE)
    return content[:6] + size + content[10 : at + 5] + size + content[at + 9 :]


def tiff() -> bytes:
    content = bytearray(small("TIFF"))
    (at,) = struct.unpack_from("<I", content, 4)
    for i in range(struct.unpack_from("<H", content, at)[0]):
        tag, kind = struct.unpack_from("<HH", content, at + 2 + 12 * i)
        if tag in (256, 257):
            struct.pack_into("<HHII", content, at + 2 + 12 * i, tag, 4, 1, SIDE)
    return bytes(content)


STATED = {"png": png, "jpg": jpeg, "bmp": bmp, "gif": gif, "tif": tiff}


@pytest.mark.parametrize(("kind", "by"), [*((kind, "file") for kind in STATED), *((kind, "standard input") for kind in ("png", "jpg", "bmp", "tif"))])
def test_images_that_state_more_than_the_limit_are_refused_by_their_size(kind: str, by: str, tmp_path: Path) -> None:
    (tmp_path / f"x.{kind}").write_bytes(STATED[kind]())
    source = {"file": [tmp_path / f"x.{kind}"], "standard input": ["-"]}[by]
    done = run("face-det-lite", *VERBS["face-det-lite"][:-1], *source, memory_bytes=4 << 30, input=STATED[kind]())
    assert done.returncode == 1
    assert f"{SIDE}x{SIDE} pixels are more than the limit" in done.stderr.decode()


@pytest.mark.parametrize("kind", STATED)
def test_images_beyond_the_memory_are_refused_with_what_there_is(kind: str, tmp_path: Path) -> None:
    (tmp_path / f"x.{kind}").write_bytes(STATED[kind]())
    done = run("face-det-lite", *VERBS["face-det-lite"][:-1], tmp_path / f"x.{kind}", "--max-pixels", 10**10, memory_bytes=4 << 30)
    assert done.returncode == 1
    assert f"{SIDE}x{SIDE} pixels: that takes 21.6 GB, and this machine has 4.3 GB of memory for it" in done.stderr.decode()


@pytest.mark.parametrize("by", ["file", "standard input"])
@pytest.mark.parametrize("codec", ["libx264", "mpeg4", "libvpx-vp9", "rawvideo"])
def test_videos_that_state_more_than_the_limit_are_refused_by_their_size(codec: str, by: str, tmp_path: Path) -> None:
    clip = tmp_path / "x.mkv"
    ffmpeg("-f", "lavfi", "-i", "smptebars=size=640x480:rate=10:duration=0.2", "-c:v", codec, clip)
    done = run("face-det-lite", *VERBS["face-det-lite"][:-1], clip if by == "file" else "-", "--max-pixels", 10000, input=clip.read_bytes())
    assert done.returncode == 1
    assert "640x480 pixels are more than the limit of 10000 pixels" in done.stderr.decode()


# Batches

BATCH_VERBS = ["face-det-lite", "mediapipe-face", "mediapipe-hand", "mediapipe-pose", "drone"]


@pytest.mark.parametrize("count", [0, -1, 257, 2_000_000_000])
@pytest.mark.parametrize("verb", BATCH_VERBS)
def test_batches_out_of_range_are_refused(verb: str, count: int, tmp_path: Path) -> None:
    done = run(verb, *VERBS[verb], "--batch", count, cwd=tmp_path)
    assert done.returncode == 2
    assert "--batch: " in done.stderr.decode() and "256" in done.stderr.decode()


def test_a_batch_of_segments_beyond_the_memory_is_refused_with_what_there_is(tmp_path: Path) -> None:
    command = ["demucs", "--model", SEPARATOR, "--output", tmp_path / "out", song(tmp_path / "x.wav"), "--mode", "batch"]
    done = run(*command, "--batch", 2_000_000_000)
    assert done.returncode == 1
    assert "--batch 2000000000: so many segments of" in done.stderr.decode() and "GB of memory for it" in done.stderr.decode()


def test_batches_of_large_images_are_refused_when_they_do_not_fit(tmp_path: Path) -> None:
    Image.new("RGB", (12000, 8000), (9, 99, 199)).save(tmp_path / "x.jpg")
    model = tmp_path / "model.onnx"
    shutil.copy(GOLDEN / "face_det_lite/tiny.onnx", model)
    assert set_batch(model, "dynamic") == 0
    command = ["face-det-lite", "--model", model, *[tmp_path / "x.jpg"] * 12, "--batch", 12, "--threads", 1]
    done = run(*command, memory_bytes=3 << 30)
    assert done.returncode == 1
    assert "no memory for a picture of 12000x8000 pixels" in done.stderr.decode() or "--batch 12: pictures like this one" in done.stderr.decode()


@pytest.mark.parametrize("verb", ["infer", "bench", "profile"])
def test_a_network_whose_input_does_not_fit_is_refused_with_what_there_is(verb: str, tmp_path: Path) -> None:
    size = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 3, SIDE, SIDE])
    mean = onnx.helper.make_node("ReduceMean", ["x"], ["y"], axes=[1, 2, 3])
    result = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)
    graph = onnx.helper.make_graph([mean], "huge", [size], [result])
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8), tmp_path / "huge.onnx")
    words = {"infer": ["--random", 1, "-o", tmp_path / "out.npz"], "bench": [], "profile": []}[verb]
    done = run(verb, tmp_path / "huge.onnx", *words)
    assert done.returncode == 1
    assert "float32[1,3,60000,60000]: that takes 43.2 GB, and this machine has" in done.stderr.decode().replace(", 3, ", ",3,"), done.stderr.decode()
