"""Every verb of the command line with small inputs: what stands in its command, what it reads, what it writes."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
from PIL import Image

from python.tests.commands import GOLDEN, REPOSITORY, SEPARATOR, SLIPWAY, sample_image, song


@dataclass(frozen=True)
class Verb:
    words: str  # as typed in the folder of the inputs
    reads: tuple[str, ...]  # files, the weights beside a model among them
    files: dict[str, str] = field(default_factory=dict)  # option of a file that is written: its name
    folders: dict[str, str] = field(default_factory=dict)  # option of a folder that is filled: its name
    stream: str = ""  # the word that names what may come from a stream
    optional: tuple[str, ...] = ()  # outputs that may be left out

    def command(self, **outputs: str) -> list[str]:
        """The words with the outputs that the verb wants, or these of it: `command(**{"-o": "x"})`."""
        wanted = {**{k: v for k, v in {**self.files, **self.folders}.items() if k not in self.optional}, **outputs}
        return [*self.words.split(), *(word for option, name in wanted.items() for word in (option, name))]


LINES = {"--json-file": "lines.jsonl"}
MODEL = ("net.onnx", "net.data")  # weights in a file of their own
BRIEF = "-n 2 --warmup 0 --max-seconds 20"
VERBS = {
    "inspect": Verb("inspect net.onnx", MODEL, LINES, stream="net.onnx", optional=("--json-file",)),
    "convert": Verb("convert net.pt2", ("net.pt2",), {"-o": "made.onnx", **LINES}, stream="net.pt2", optional=("--json-file",)),
    "infer": Verb("infer net.onnx -i in.npz", (*MODEL, "in.npz"), {"-o": "made.npz", **LINES}, stream="in.npz", optional=("--json-file",)),
    "profile": Verb(f"profile net.onnx -i in.npz {BRIEF}", (*MODEL, "in.npz"), {"-o": "trace.json", **LINES}, stream="in.npz", optional=("-o", "--json-file")),
    "bench": Verb(f"bench net.onnx -i in.npz {BRIEF}", (*MODEL, "in.npz"), LINES, stream="in.npz", optional=("--json-file",)),
    "compile": Verb("compile net.onnx -i in.npz", (*MODEL, "in.npz"), LINES, {"-o": "made"}, stream="in.npz", optional=("--json-file",)),
    "compile to a file": Verb("compile add.onnx -i add.npz --catalogue own.csv", ("add.onnx", "add.npz", "own.csv"), {"-o": "made.onnx", **LINES}, stream="add.npz", optional=("--json-file",)),
    "quantize": Verb("quantize net.onnx --calibration in.npz --sqnr-alarm 0", (*MODEL, "in.npz"), {"-o": "made.onnx", **LINES}, optional=("--json-file",)),
    "demucs": Verb("demucs song.wav -m demucs", ("song.wav", "demucs/model.yaml", "demucs/even.onnx"), LINES, {"-o": "stems"}, stream="song.wav", optional=("--json-file",)),
    "demucs preprocess": Verb("demucs preprocess song.wav --segment-samples 8192", ("song.wav",), LINES, {"-o": "cut"}, stream="song.wav", optional=("--json-file",)),
    "demucs postprocess": Verb("demucs postprocess chunks --raw-file add_67.raw", ("add_67.raw", "chunks/chunks.json", "chunks/input.raw"), LINES, {"-o": "stems"}, optional=("--json-file",)),
    "samurai": Verb("samurai frames -m samurai --box 20,20,30,30", ("frames/0.png", "frames/1.png", "samurai/model.yaml"), {"-o": "seen.mp4", "--trace": "trace.json", **LINES}, {"--masks": "masks"}, optional=("-o", "--trace", "--masks", "--json-file")),
    "samurai with a mask": Verb("samurai frames -m samurai --mask mask.png", ("mask.png", "frames/0.png"), {"--trace": "trace.json", **LINES}, optional=("--trace", "--json-file")),
    "samurai replay": Verb("samurai replay seen.json", ("seen.json",), LINES, stream="seen.json", optional=("--json-file",)),
    "samurai validate": Verb("samurai validate frames -m samurai --box 20,20,30,30 --reference in.npz", ("in.npz", "frames/0.png", "samurai/model.yaml"), LINES, optional=("--json-file",)),
    "doctor": Verb("doctor --npu-probes --npu-from table.json --npu-table table.json", ("table.json",), {"--npu-write": "made.json", "--npu-page": "made.md", **LINES}, optional=("--npu-write", "--npu-page", "--json-file")),
    "drone": Verb("drone x.png -m yolo.onnx --segmenter segments.onnx", ("x.png", "yolo.onnx", "yolo.data", "segments.onnx", "segments.data"), {"-o": "seen.png", **LINES}, stream="x.png", optional=("-o", "--json-file")),
    "face-det-lite": Verb("face-det-lite x.png -m faces.onnx", ("x.png", "faces.onnx", "faces.data"), {"-o": "seen.png", **LINES}, stream="x.png", optional=("-o", "--json-file")),
    "mediapipe-face": Verb("mediapipe-face --detector-only x.png -m short.onnx", ("x.png", "short.onnx", "short.data"), {"-o": "seen.png", **LINES}, stream="x.png", optional=("-o", "--json-file")),
    "mediapipe-hand": Verb("mediapipe-hand --detector-only x.png -m palm.onnx", ("x.png", "palm.onnx", "palm.data"), {"-o": "seen.png", **LINES}, stream="x.png", optional=("-o", "--json-file")),
    "mediapipe-pose": Verb("mediapipe-pose --detector-only x.png -m person.onnx", ("x.png", "person.onnx", "person.data"), {"-o": "seen.png", **LINES}, stream="x.png", optional=("-o", "--json-file")),
}
# Ends of itself, or not with these inputs: what is refused of it is tried, not what it makes.
SERVE = Verb("serve --listen 127.0.0.1:0 --devices own.csv", ("own.csv",), LINES, {"--data": "hub"}, optional=("--json-file",))
FINISHING = {name: verb for name, verb in VERBS.items() if name != "samurai validate"}


def with_weights_apart(source: Path, target: Path) -> None:
    """The same network with its weights in TARGET.data."""
    model = onnx.load(source)
    onnx.save(model, target, save_as_external_data=True, location=target.with_suffix(".data").name, size_threshold=64)


def fill(folder: Path) -> None:
    """Everything that a command of the table reads."""
    models = GOLDEN / "models"
    for name, source in {"net": models / "external.onnx", "faces": GOLDEN / "face_det_lite/tiny.onnx", "short": GOLDEN / "mediapipe_face/short_range.onnx",
                         "palm": GOLDEN / "mediapipe_hand/palm.onnx", "person": GOLDEN / "mediapipe_pose/person.onnx", "yolo": GOLDEN / "yolov8/tiny.onnx",
                         "segments": GOLDEN / "segmentation/tiny.onnx"}.items():
        with_weights_apart(source, folder / f"{name}.onnx")
    shutil.copy(models / "add.onnx", folder / "add.onnx")
    for name, source in {"in": models / "external.npz", "add": models / "add.npz"}.items():
        arrays = np.load(source)
        np.savez(folder / f"{name}.npz", **{key[3:]: arrays[key] for key in arrays if key.startswith("in.")})
    linear = np.load(GOLDEN / "convert/operators/linear.npz")
    (folder / "net.pt2").write_bytes(linear["archive"].tobytes())
    shutil.copytree(SEPARATOR, folder / "demucs")
    shutil.copytree(GOLDEN / "samurai/tiny", folder / "samurai", ignore=shutil.ignore_patterns("*.f32", "*.u8", "*.npz"))
    shutil.copy(GOLDEN / "samurai/traces/drawn.json", folder / "seen.json")
    shutil.copy(REPOSITORY / "data/npu/htp_v75.json", folder / "table.json")
    shutil.copy(REPOSITORY / "data/catalogue/devices.csv", folder / "own.csv")
    song(folder / "song.wav", 0.4)
    sample_image(folder / "x.png", 5)
    mask = np.zeros((80, 96), np.uint8)
    mask[20:50, 20:50] = 255
    Image.fromarray(mask).save(folder / "mask.png")
    (folder / "frames").mkdir()
    for i in range(2):
        sample_image(folder / f"frames/{i}.png", i, (96, 80))
    subprocess.run([str(SLIPWAY), *"demucs preprocess song.wav --segment-samples 8192 -o chunks --quiet".split()], cwd=folder, check=True, timeout=60)
    chunks = (folder / "chunks/input.raw").stat().st_size // (2 * 8192 * 4)
    np.zeros((chunks, 4, 2, 8192), np.float32).tofile(folder / "add_67.raw")
