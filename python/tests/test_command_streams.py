"""Every verb takes what is no plain file, as input and as output, and names of any bytes."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import threading
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from python.tests.command_table import FINISHING
from python.tests.commands import GOLDEN, SLIPWAY, needs_slipway
from python.tests.test_command_files import NAMES, read_pipe
from python.tests.test_command_guard import filled, folder, run  # noqa: F401: fixtures

pytestmark = needs_slipway

FILE_OUTPUTS = [(name, option) for name, verb in FINISHING.items() for option in verb.files]
# A name's ending says what kind of image or video is written.
NAMELESS = [(name, option) for name, option in FILE_OUTPUTS if not FINISHING[name].files[option].endswith((".png", ".mp4"))]


def is_whole(content: bytes, name: str, folder: Path) -> bool:  # noqa: F811
    """Whether these are all the bytes of a file of that name, and no others."""
    path = folder / f"check-{name}"
    path.write_bytes(content)
    if name.endswith(".jsonl"):
        return all(json.loads(line)["schema"] for line in content.splitlines()) and content.endswith(b"}\n")
    if name.endswith(".json"):
        return bool(json.loads(content))
    if name.endswith(".npz"):
        with zipfile.ZipFile(path) as archive:
            comment = archive.comment
        with path.open("rb") as file:  # an end that belongs to it
            return comment == b"" and bool(np.load(file).files) and content[-22:-18] == b"PK\x05\x06"
    if name.endswith(".onnx"):
        onnx.checker.check_model(onnx.load(path))
        return True
    if name.endswith(".png"):
        with Image.open(path) as image:
            image.load()
        return content.endswith(b"IEND\xaeB`\x82")
    return len(content) > 0


@pytest.mark.parametrize(("name", "option"), FILE_OUTPUTS)
def test_a_link_stays_and_what_it_leads_to_is_written(name: str, option: str, folder: Path) -> None:  # noqa: F811
    wanted = FINISHING[name].files[option]
    (folder / "far").mkdir()
    (folder / f"link-{wanted}").symlink_to(f"far/{wanted}")
    done = run(folder, FINISHING[name].command(**{option: f"link-{wanted}"}))
    assert done.returncode == 0, done.stderr.decode()
    assert (folder / f"link-{wanted}").is_symlink()
    assert is_whole((folder / "far" / wanted).read_bytes(), wanted, folder)
    assert [p.name for p in (folder / "far").iterdir()] == [wanted]


@pytest.mark.parametrize(("name", "option"), FILE_OUTPUTS)
def test_a_pipe_gets_all_bytes_and_stays_a_pipe(name: str, option: str, folder: Path) -> None:  # noqa: F811
    wanted = FINISHING[name].files[option]
    pipe = folder / f"pipe-{wanted}"
    os.mkfifo(pipe)
    thread, received = read_pipe(pipe)
    done = run(folder, FINISHING[name].command(**{option: pipe.name}))
    assert done.returncode == 0, done.stderr.decode()
    thread.join(10)
    assert stat.S_ISFIFO(pipe.stat().st_mode) and is_whole(received[0], wanted, folder)


@pytest.mark.parametrize("target", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link to it", "in a file"])
@pytest.mark.parametrize(("name", "option"), NAMELESS)
def test_standard_output_gets_the_file_and_nothing_else(name: str, option: str, target: str, folder: Path) -> None:  # noqa: F811
    if target == "link to it":
        (folder / "out").symlink_to("/dev/stdout")
    with (folder / "sink").open("wb") as sink:
        where = {"link to it": "out", "in a file": "/dev/stdout"}.get(target, target)
        into_file = {"capture_output": False, "stdout": sink, "stderr": subprocess.PIPE} if target == "in a file" else {"capture_output": True}
        words = [str(SLIPWAY), *FINISHING[name].command(**{option: where}), *(["--quiet"] if option == "--json-file" else [])]
        done = subprocess.run(words, cwd=folder, check=False, timeout=120, **into_file)
    assert done.returncode == 0, done.stderr.decode()
    content = (folder / "sink").read_bytes() if target == "in a file" else done.stdout
    assert is_whole(content, FINISHING[name].files[option], folder), content[:200]


@pytest.mark.parametrize(("name", "option"), NAMELESS)
def test_a_process_substitution_gets_all_bytes(name: str, option: str, folder: Path) -> None:  # noqa: F811
    words = " ".join([str(SLIPWAY), *FINISHING[name].command(**{option: ">(cat > got)"})])
    done = subprocess.run(["bash", "-c", f"{words}; status=$?; wait $!; exit $status"], cwd=folder, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert is_whole((folder / "got").read_bytes(), FINISHING[name].files[option], folder)


@pytest.mark.parametrize(("name", "option"), NAMELESS)
def test_a_device_stays_a_device(name: str, option: str, folder: Path) -> None:  # noqa: F811
    os.mknod(folder / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3)) if os.geteuid() == 0 else (folder / "null").symlink_to("/dev/null")
    done = run(folder, FINISHING[name].command(**{option: "null"}))
    assert done.returncode == 0, done.stderr.decode()
    assert stat.S_ISCHR((folder / "null").stat().st_mode)


@pytest.mark.parametrize(("name", "option"), [(name, option) for name, option in NAMELESS if option != "--json-file"])
def test_lines_and_a_file_do_not_mix_on_standard_output(name: str, option: str, folder: Path) -> None:  # noqa: F811
    done = run(folder, [*FINISHING[name].command(**{option: "/dev/stdout"}), "--json"])
    assert done.returncode == 2 and b"both go to standard output" in done.stderr, done.stderr.decode()


MODELS = {"inspect": "net.onnx", "infer": "add.onnx", "bench": "add.onnx", "profile": "add.onnx", "compile": "add.onnx", "convert": "net.pt2", "demucs": "even.onnx",
          "face-det-lite": "small.onnx", "mediapipe-face": "small.onnx", "mediapipe-hand": "small.onnx", "mediapipe-pose": "small.onnx", "drone": "small.onnx"}
SMALL = {"face-det-lite": "face_det_lite/tiny.onnx", "mediapipe-face": "mediapipe_face/short_range.onnx", "mediapipe-hand": "mediapipe_hand/palm.onnx",
         "mediapipe-pose": "mediapipe_pose/person.onnx", "drone": "yolov8/tiny.onnx"}


@pytest.mark.parametrize("kind", ["standard input", "pipe", "process substitution"])
@pytest.mark.parametrize("name", MODELS)
def test_a_model_comes_from_a_stream(name: str, kind: str, folder: Path) -> None:  # noqa: F811
    """Read once, whatever the verb does with it, and called what the user called it."""
    model = "net.onnx"
    if name in SMALL:
        shutil.copy(GOLDEN / SMALL[name], folder / model)
    elif name == "demucs":
        shutil.copy(folder / "demucs/even.onnx", folder / model)
    elif name == "convert":
        model = "net.pt2"
    else:
        shutil.copy(folder / "add.onnx", folder / model)
    given = {"standard input": "-", "pipe": "pipe", "process substitution": f"<(cat {model})"}[kind]
    words = {
        "infer": f"infer {given} -i add.npz -o made.npz", "bench": f"bench {given} -n 2 --warmup 0", "profile": f"profile {given} -n 2 --warmup 0",
        "compile": f"compile {given} -i add.npz -o made.onnx", "inspect": f"inspect {given}", "convert": f"convert {given} -o made.onnx",
        "demucs": f"demucs song.wav -m {given} -o stems",
    }.get(name) or f"{name}{' --detector-only' if 'mediapipe' in name else ''} x.png -m {given}"
    if kind == "pipe":
        os.mkfifo(folder / "pipe")
        content = (folder / model).read_bytes()
        threading.Thread(target=lambda: (folder / "pipe").write_bytes(content), daemon=True).start()
    source = {"input": (folder / model).read_bytes()} if kind == "standard input" else {}
    done = subprocess.run(["bash", "-c", f"{SLIPWAY} {words} --json"], cwd=folder, capture_output=True, timeout=120, check=False, **source)
    assert done.returncode == 0, done.stderr.decode()
    assert all(json.loads(line)["schema"] for line in done.stdout.splitlines())
    assert b"slipway-input" not in done.stdout + done.stderr, "the name of a temporary file"


@pytest.mark.parametrize("kind", ["standard input", "pipe"])
@pytest.mark.parametrize("name", [name for name, verb in FINISHING.items() if verb.stream and name not in ("inspect", "convert")])
def test_an_input_comes_from_a_stream(name: str, kind: str, folder: Path) -> None:  # noqa: F811
    verb = FINISHING[name]
    content = (folder / verb.stream).read_bytes()
    words = ["-" if word == verb.stream and kind == "standard input" else "pipe" if word == verb.stream else word for word in verb.command()]
    if kind == "pipe":
        os.mkfifo(folder / "pipe")
        threading.Thread(target=lambda: (folder / "pipe").write_bytes(content), daemon=True).start()
    done = run(folder, words, **({"input": content} if kind == "standard input" else {}))
    assert done.returncode == 0, done.stderr.decode()
    assert b"slipway-input" not in done.stdout + done.stderr, "the name of a temporary file"


@pytest.mark.parametrize("name", [name for name, verb in FINISHING.items() if verb.stream])
def test_an_empty_stream_is_an_error_that_names_it(name: str, folder: Path) -> None:  # noqa: F811
    verb = FINISHING[name]
    done = run(folder, ["-" if word == verb.stream else word for word in verb.command()], input=b"")
    assert done.returncode == 1, done.stderr.decode()
    assert (b"standard" in done.stderr or b"-:" in done.stderr) and b"slipway-input" not in done.stderr, done.stderr.decode()


@pytest.mark.parametrize("called", ["252 bytes", "80 CJK characters", "not UTF-8", "a leading dash", "blanks and a line", "a quote", "braces", "a percent sign"])
@pytest.mark.parametrize("name", [name for name, verb in FINISHING.items() if verb.stream])
def test_names_are_bytes_in_every_verb(name: str, called: str, folder: Path) -> None:  # noqa: F811
    """The input, the output and the lines all get the name."""
    verb = FINISHING[name]
    ending = Path(verb.stream).suffix
    encoded = NAMES[called].replace(b".png", b"")[: 250 - len(ending) - 6] + ending.encode()
    os.rename(folder / verb.stream, os.fsencode(folder) + b"/" + encoded)
    options, words = [], []
    for word in verb.command():
        (words if word == verb.stream else options).append(os.fsencode(word))
    outputs: list[bytes] = []
    for option, wanted in {**verb.files, **verb.folders}.items():
        if option in ("--npu-write", "--npu-page"):
            continue
        made = b"o" + encoded[: -len(ending)] + Path(wanted).suffix.encode()[:4]
        if option != "--json-file" and option in verb.command():
            options[options.index(os.fsencode(option)) + 1] = made
        elif option == "--json-file":
            outputs += [b"--json-file", b"j" + encoded[: -len(ending)]]
    model = [b"--model"] if options[0] in (b"inspect", b"convert") else [b"--inputs"] if b"-i" in options else []
    if b"-i" in options:
        options.remove(b"-i")
    # Of an option the value stands behind "="; a plain word behind "--".
    last = [model[0] + b"=" + encoded] if model else [b"--", encoded]
    done = subprocess.run([os.fsencode(SLIPWAY), *options, *outputs, *last], cwd=folder, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    lines = (os.fsencode(folder) + b"/j" + encoded[: -len(ending)])
    with open(lines, "rb") as file:
        assert all(json.loads(line)["schema"] for line in file.read().splitlines())


@pytest.mark.parametrize("name", FINISHING)
def test_quiet_is_quiet_and_json_is_one_object_a_line_that_names_the_input(name: str, folder: Path) -> None:  # noqa: F811
    done = run(folder, [*FINISHING[name].command(), "--json", "--quiet"])
    assert done.returncode == 0 and done.stderr == b"", done.stderr.decode()
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(line["schema"] for line in lines)
    if name != "doctor":
        assert lines[0]["input"] in FINISHING[name].words + " frames/0.png"
