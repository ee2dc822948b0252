"""What the commands read and write: nothing that a user owns is lost, streams and odd names are taken, ends are clean."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import signal
import stat
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from python.tests.commands import FRAME_VERBS, GOLDEN, SAMURAI, SEPARATOR, SLIPWAY, frame_verbs, needs_slipway, run_frames, sample_image, slipway, song, stream_of

ADD = GOLDEN / "models/add.onnx"

pytestmark = needs_slipway

def contents(folder: Path) -> dict[str, str]:
    """Of every file below: its path, and what it holds."""
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()}


def frames_folder(folder: Path, count: int = 3) -> Path:
    folder.mkdir()
    pixels = np.fromfile(SAMURAI / "frames.u8", np.uint8)
    for i in range(count):
        Image.fromarray(pixels[i * 80 * 96 * 3 : (i + 1) * 80 * 96 * 3].reshape(80, 96, 3) if pixels.size >= count * 80 * 96 * 3 else np.zeros((80, 96, 3), np.uint8)).save(folder / f"{i:05}.png")
    return folder


def follow(*words: object, **options) -> subprocess.CompletedProcess:
    return slipway("samurai", "--model", SAMURAI, "--box", "20,20,30,30", *words, **options)


def read_pipe(path: Path) -> tuple[threading.Thread, list[bytes]]:
    received: list[bytes] = []
    thread = threading.Thread(target=lambda: received.append(path.read_bytes()), daemon=True)
    thread.start()
    return thread, received


# What a user owns is not written over


@frame_verbs
@pytest.mark.parametrize(
    "words",
    [
        ["x.png", "-o", "x.png"],
        ["x.png", "-o", "."],
        ["x.png", "-o", "link.png"],
        ["x.png", "-o", "hard.png"],
        ["x.png", "-o", "sub/../x.png"],
        ["x.bmp", "x.png", "-o", "."],
        [".", "-o", "."],
        ["sub", "-o", "sub"],
        ["sub", "-o", "folder_link"],
        ["x.png", "--json-file", "x.png"],
        ["x.png", "-o", "out.png", "--json-file", "out.png"],
        ["x.png", "-o", "out", "--json-file", "out/x.png"],
    ],
    ids=" ".join,
)
def test_outputs_that_are_inputs_or_each_other_are_refused(verb: str, words: list[str], tmp_path: Path) -> None:
    sample_image(tmp_path / "x.png")
    sample_image(tmp_path / "x.bmp", 1)
    (tmp_path / "sub").mkdir()
    sample_image(tmp_path / "sub/y.png", 2)
    (tmp_path / "link.png").symlink_to("x.png")
    (tmp_path / "folder_link").symlink_to("sub")
    os.link(tmp_path / "x.png", tmp_path / "hard.png")
    before = contents(tmp_path)
    done = run_frames(verb, *words, cwd=tmp_path)
    assert done.returncode == 2, done.stderr.decode()
    assert contents(tmp_path) == before


@frame_verbs
@pytest.mark.parametrize("option", ["-o", "--json-file"])
def test_a_model_is_not_written_over(verb: str, option: str, tmp_path: Path) -> None:
    *flags, model = FRAME_VERBS[verb]
    own = tmp_path / "own.png"
    own.write_bytes(Path(model).read_bytes())
    before = contents(tmp_path)
    sample_image(tmp_path / "x.png")
    done = slipway(verb, *flags, own, tmp_path / "x.png", option, own)
    assert done.returncode == 2, done.stderr.decode()
    assert contents(tmp_path)["own.png"] == before["own.png"]


@frame_verbs
def test_files_in_an_output_folder_are_replaced_on_request_alone(verb: str, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/x.png").write_text("a diary")
    sample_image(tmp_path / "x.png")
    done = run_frames(verb, tmp_path / "x.png", "-o", tmp_path / "out")
    assert done.returncode == 2 and b"--overwrite" in done.stderr
    assert (tmp_path / "out/x.png").read_text() == "a diary"
    done = run_frames(verb, tmp_path / "x.png", "-o", tmp_path / "out", "--overwrite")
    assert done.returncode == 0, done.stderr.decode()
    assert Image.open(tmp_path / "out/x.png").size == (64, 48)


@frame_verbs
def test_a_file_that_was_named_is_replaced(verb: str, tmp_path: Path) -> None:
    (tmp_path / "out.png").write_text("old")
    done = run_frames(verb, sample_image(tmp_path / "x.png"), "-o", tmp_path / "out.png", "--json-file", tmp_path / "f.jsonl")
    assert done.returncode == 0, done.stderr.decode()
    assert Image.open(tmp_path / "out.png").size == (64, 48)


@frame_verbs
def test_two_inputs_of_one_name_get_two_overlays(verb: str, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        sample_image(tmp_path / name / "x.png", 7 if name == "a" else 8)
    done = run_frames(verb, tmp_path / "a/x.png", tmp_path / "b/x.png", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr.decode()
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["x-2.png", "x.png"]


def test_a_song_is_not_replaced_by_its_stem(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    song(tmp_path / "out/drums.wav")
    before = contents(tmp_path)
    for extra in ([], ["--overwrite"]):
        done = slipway("demucs", tmp_path / "out/drums.wav", "--model", SEPARATOR, "--output", tmp_path / "out", *extra)
        assert done.returncode == 2, done.stderr.decode()
        assert contents(tmp_path) == before


def test_stems_that_are_there_stay_unless_told(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/bass.wav").write_text("mine")
    words = [song(tmp_path / "s.wav"), "--model", SEPARATOR, "--output", tmp_path / "out"]
    assert slipway("demucs", *words).returncode == 2
    assert (tmp_path / "out/bass.wav").read_text() == "mine"
    assert slipway("demucs", *words, "--overwrite").returncode == 0
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["bass.wav", "drums.wav", "other.wav", "vocals.wav"]


def test_a_model_folder_takes_no_stems(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    for each in SEPARATOR.iterdir():
        (model / each.name).write_bytes(each.read_bytes())
    before = contents(model)
    assert slipway("demucs", song(tmp_path / "s.wav"), "--model", model, "--output", model).returncode == 2
    assert contents(model) == before


def test_chunks_that_are_there_stay_unless_told(tmp_path: Path) -> None:
    words = [song(tmp_path / "s.wav"), "-o", tmp_path / "chunks", "--segment-samples", "8192"]
    assert slipway("demucs", "preprocess", *words).returncode == 0
    assert slipway("demucs", "preprocess", *words).returncode == 2
    assert slipway("demucs", "preprocess", *words, "--overwrite").returncode == 0


@pytest.mark.parametrize("words", [["--masks", "fr"], ["--trace", "fr/00001.png"], ["--output", "fr/00001.png"], ["--json-file", "fr/00002.png"]], ids=" ".join)
def test_a_folder_of_frames_is_not_swallowed(words: list[str], tmp_path: Path) -> None:
    frames_folder(tmp_path / "fr")
    before = contents(tmp_path)
    done = follow("fr", *words, cwd=tmp_path)
    assert done.returncode == 2, done.stderr.decode()
    assert contents(tmp_path) == before


def test_masks_of_an_earlier_run_stay_unless_told(tmp_path: Path) -> None:
    frames_folder(tmp_path / "fr")
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks/00001.png").write_text("mine")
    assert follow("fr", "--masks", "masks", cwd=tmp_path).returncode == 2
    assert (tmp_path / "masks/00001.png").read_text() == "mine"
    assert follow("fr", "--masks", "masks", "--overwrite", cwd=tmp_path).returncode == 0
    assert len(list((tmp_path / "masks").iterdir())) == 3


def npz(path: Path) -> Path:
    assert slipway("infer", ADD, "--random", "1", "--output", path).returncode == 0
    return path


@pytest.mark.parametrize("option", ["--output", "--json-file"])
@pytest.mark.parametrize("target", ["model.onnx", "in.npz", "link.npz"])
def test_infer_writes_over_nothing_that_it_reads(option: str, target: str, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(ADD.read_bytes())
    (tmp_path / "in.npz").write_bytes((GOLDEN / "models/add.npz").read_bytes())
    (tmp_path / "link.npz").symlink_to("in.npz")
    before = contents(tmp_path)
    words = ["model.onnx", "--inputs", "in.npz", option, target]
    if option == "--json-file":
        words += ["--output", "new.npz"]
    assert slipway("infer", *words, cwd=tmp_path).returncode == 2
    assert contents(tmp_path) == before


def test_a_compiled_folder_is_not_filled_again_unless_told(tmp_path: Path) -> None:
    words = ["compile", ADD, "--target", "onnx", "-o", tmp_path / "out"]
    assert slipway(*words).returncode == 0
    before = contents(tmp_path)
    done = slipway(*words)
    assert done.returncode == 2 and b"--overwrite" in done.stderr
    assert contents(tmp_path) == before
    assert slipway(*words, "--overwrite").returncode == 0


# What is no plain file


@pytest.mark.parametrize("kind", ["link", "pipe", "stdout", "process substitution"])
@frame_verbs
def test_json_goes_into_what_is_there(verb: str, kind: str, tmp_path: Path) -> None:
    sample_image(tmp_path / "x.png")
    words = [*map(str, FRAME_VERBS[verb]), str(tmp_path / "x.png"), "--json-file"]
    target = tmp_path / "there"
    if kind == "link":
        target.symlink_to("real")
        done = slipway(verb, *words, target)
        assert target.is_symlink() and json.loads((tmp_path / "real").read_text().splitlines()[0])["schema"]
    elif kind == "pipe":
        os.mkfifo(target)
        thread, received = read_pipe(target)
        done = slipway(verb, *words, target)
        thread.join(10)
        assert json.loads(received[0].splitlines()[0])["schema"] and stat.S_ISFIFO(target.stat().st_mode)
    elif kind == "stdout":
        done = slipway(verb, *words, "/dev/stdout")
        assert any(line.startswith(b"{") for line in done.stdout.splitlines()), done.stdout
    else:
        script = " ".join([str(SLIPWAY), verb, *words, f">(cat > {target})"])
        done = subprocess.run(["bash", "-c", script + "; wait $!"], capture_output=True, timeout=60, check=False)
        assert json.loads(target.read_text().splitlines()[0])["schema"]
    assert done.returncode == 0, done.stderr.decode()


@frame_verbs
def test_overlays_go_into_links_and_pipes(verb: str, tmp_path: Path) -> None:
    sample_image(tmp_path / "x.png")
    (tmp_path / "link.png").symlink_to("real.png")
    os.mkfifo(tmp_path / "pipe.png")
    assert run_frames(verb, tmp_path / "x.png", "-o", tmp_path / "link.png").returncode == 0
    assert (tmp_path / "link.png").is_symlink() and Image.open(tmp_path / "real.png").size == (64, 48)
    thread, received = read_pipe(tmp_path / "pipe.png")
    assert run_frames(verb, tmp_path / "x.png", "-o", tmp_path / "pipe.png").returncode == 0
    thread.join(10)
    assert received[0].startswith(b"\x89PNG") and stat.S_ISFIFO((tmp_path / "pipe.png").stat().st_mode)


@pytest.mark.parametrize("ending", [".mkv", ".mp4"])
def test_a_video_goes_into_a_pipe(ending: str, tmp_path: Path) -> None:
    pipe = tmp_path / f"out{ending}"
    os.mkfifo(pipe)
    thread, received = read_pipe(pipe)
    done = run_frames("face-det-lite", "-", "-o", pipe, input=stream_of(5))
    thread.join(10)
    assert done.returncode == 0, done.stderr.decode()
    (tmp_path / f"copy{ending}").write_bytes(received[0])
    done = run_frames("face-det-lite", tmp_path / f"copy{ending}", "--json")
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 5, done.stderr.decode()


def test_arrays_go_into_links_and_pipes(tmp_path: Path) -> None:
    (tmp_path / "link.npz").symlink_to("real.npz")
    assert slipway("infer", ADD, "--random", "1", "--output", tmp_path / "link.npz").returncode == 0
    assert (tmp_path / "link.npz").is_symlink()
    os.mkfifo(tmp_path / "pipe.npz")
    thread, received = read_pipe(tmp_path / "pipe.npz")
    assert slipway("infer", ADD, "--random", "1", "--output", tmp_path / "pipe.npz").returncode == 0
    thread.join(10)
    (tmp_path / "copy.npz").write_bytes(received[0])
    streamed, real = np.load(tmp_path / "copy.npz"), np.load(tmp_path / "real.npz")
    assert list(streamed) == list(real) and all(np.array_equal(streamed[name], real[name]) for name in real)


@frame_verbs
@pytest.mark.parametrize("kind", ["standard input", "pipe", "process substitution"])
def test_a_stream_is_read_once_whatever_its_name(verb: str, kind: str, tmp_path: Path) -> None:
    (tmp_path / "s").write_bytes(stream_of(4))
    if kind == "standard input":
        done = run_frames(verb, "-", "--json", input=stream_of(4))
    elif kind == "pipe":
        os.mkfifo(tmp_path / "in")
        threading.Thread(target=lambda: (tmp_path / "in").write_bytes(stream_of(4)), daemon=True).start()
        done = run_frames(verb, tmp_path / "in", "--json")
    else:
        script = " ".join([str(SLIPWAY), verb, *map(str, FRAME_VERBS[verb]), f"<(cat {tmp_path}/s)", "--json"])
        done = subprocess.run(["bash", "-c", script], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert len([line for line in done.stdout.splitlines() if b'"frame"' in line or b'"time_s"' in line]) == 4, done.stdout[:400]


@pytest.mark.parametrize("kind", ["standard input", "pipe"])
@pytest.mark.parametrize("step", ["separate", "preprocess"])
def test_a_song_is_read_from_a_stream(step: str, kind: str, tmp_path: Path) -> None:
    content = song(tmp_path / "s.wav").read_bytes()
    words = ["--model", SEPARATOR] if step == "separate" else ["--segment-samples", "8192"]
    start = ["demucs"] if step == "separate" else ["demucs", "preprocess"]
    if kind == "standard input":
        done = slipway(*start, "-", *words, "-o", tmp_path / "streamed", input=content)
    else:
        os.mkfifo(tmp_path / "in")
        threading.Thread(target=lambda: (tmp_path / "in").write_bytes(content), daemon=True).start()
        done = slipway(*start, tmp_path / "in", *words, "-o", tmp_path / "streamed")
    assert done.returncode == 0, done.stderr.decode()
    assert slipway(*start, tmp_path / "s.wav", *words, "-o", tmp_path / "file").returncode == 0
    same = {name: value for name, value in contents(tmp_path / "file").items() if name != "chunks.json"}
    assert {name: contents(tmp_path / "streamed")[name] for name in same} == same


def test_a_followed_stream_is_read_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "in")
    threading.Thread(target=lambda: (tmp_path / "in").write_bytes(stream_of(3, (96, 80))), daemon=True).start()
    done = follow(tmp_path / "in", "--json")
    assert done.returncode == 0, done.stderr.decode()
    assert slipway("samurai", "--model", SAMURAI, "--box", "20,20,30,30", "-", "--json", input=stream_of(3, (96, 80))).returncode == 0


@pytest.mark.parametrize("verb", ["infer", "bench"])
def test_arrays_are_read_from_a_pipe(verb: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "in")
    content = (GOLDEN / "models/add.npz").read_bytes()
    arrays = np.load(GOLDEN / "models/add.npz")
    np.savez(tmp_path / "in.npz", **{name[3:]: arrays[name] for name in arrays if name.startswith("in.")})
    content = (tmp_path / "in.npz").read_bytes()
    threading.Thread(target=lambda: (tmp_path / "in").write_bytes(content), daemon=True).start()
    words = ["--output", tmp_path / "out.npz"] if verb == "infer" else ["--iterations", "3", "--warmup", "0"]
    done = slipway(verb, ADD, "--inputs", tmp_path / "in", *words)
    assert done.returncode == 0, done.stderr.decode()


NAMES = {
    "252 bytes": b"x" * 248 + b".png",
    "80 CJK characters": "漢".encode() * 80 + b".png",
    "not UTF-8": b"\xff\xfe\x80.png",
    "a leading dash": b"-x.png",
    "blanks and a line": b" a\nb .png",
    "a quote": b"it's \"so\".png",
    "braces": b"{}{0}.png",
    "a percent sign": b"%d%s.png",
    "a colon": b"pipe:0.png",
    "a scheme": b"file:x.png",
    "dots": b"...png",
}


@frame_verbs
@pytest.mark.parametrize("name", NAMES)
def test_names_are_bytes(verb: str, name: str, tmp_path: Path) -> None:
    folder, encoded = os.fsencode(tmp_path), NAMES[name]
    sample_image(tmp_path / "plain.png")
    os.rename(tmp_path / "plain.png", folder + b"/" + encoded)
    words = [os.fsencode(str(w)) for w in FRAME_VERBS[verb]]
    done = subprocess.run(
        [os.fsencode(SLIPWAY), verb.encode(), *words, b"-o", b"out", b"--json-file", b"lines", b"--", encoded],
        cwd=tmp_path, capture_output=True, timeout=60, check=False,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    [made] = os.listdir(folder + b"/out")
    assert made == encoded and Image.open(tmp_path / "out" / os.fsdecode(made)).size == (64, 48)
    assert json.loads((tmp_path / "lines").read_text().splitlines()[0])["schema"]


@pytest.mark.parametrize("name", ["252 bytes", "80 CJK characters", "not UTF-8", "a leading dash"])
def test_songs_and_frames_have_any_names(name: str, tmp_path: Path) -> None:
    encoded = NAMES[name].replace(b".png", b"")
    folder = os.fsencode(tmp_path)
    song(tmp_path / "s.wav")
    os.rename(tmp_path / "s.wav", folder + b"/" + encoded)
    command = [os.fsencode(SLIPWAY), b"demucs", b"--model", os.fsencode(SEPARATOR), b"-o", encoded + b"o", b"--", encoded]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    assert len(os.listdir(folder + b"/" + encoded + b"o")) == 4
    frames_folder(tmp_path / "fr")
    os.rename(tmp_path / "fr", folder + b"/" + encoded + b"f")
    command = [os.fsencode(SLIPWAY), b"samurai", b"--model", os.fsencode(SAMURAI), b"--box", b"20,20,30,30", b"--trace", encoded + b"t", b"--masks", encoded + b"m", b"--", encoded + b"f"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    assert len(os.listdir(folder + b"/" + encoded + b"m")) == 3


# Partial is not success


ENDS_WITHIN_SECONDS = 5  # two are promised; other tests run at the same time


@pytest.fixture
def start():
    """Starts a command with signals as a terminal's programs have them: a runner in the background passes on that it ignores some.
    What still runs at the end of the test is killed."""
    started: list[subprocess.Popen] = []

    def default_signals() -> None:
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_DFL)

    def run(command: list[str], **options) -> subprocess.Popen:
        started.append(subprocess.Popen(command, preexec_fn=default_signals, **options))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.wait()


def leftovers(*folders: Path) -> list[str]:
    return [str(p) for folder in folders for p in folder.rglob(".*")] + [str(p) for p in folders[0].rglob("*slipway-*")]


@pytest.mark.parametrize("sent,status", [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@frame_verbs
def test_a_signal_ends_a_stream_that_stalls(start, verb: str, sent: signal.Signals, status: int, tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [str(SLIPWAY), verb, *map(str, FRAME_VERBS[verb]), "-", "-o", str(tmp_path / "out.mp4"), "--json"]
    process = start(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    process.stdin.write(stream_of(3))
    process.stdin.flush()
    assert process.stdout.readline().startswith(b"{")
    begin = time.monotonic()
    process.send_signal(sent)
    assert process.wait(10) == status, process.stderr.read()
    assert time.monotonic() - begin < ENDS_WITHIN_SECONDS
    errors = process.stderr.read().decode()
    assert "stopped by" in errors and "out.mp4" in errors, errors
    assert leftovers(tmp_path) == []
    if (tmp_path / "out.mp4").exists():
        assert run_frames(verb, tmp_path / "out.mp4", "--json").returncode == 0, "what is there is whole"


@pytest.mark.parametrize("sent,status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_separation(start, sent: signal.Signals, status: int, tmp_path: Path) -> None:
    command = [str(SLIPWAY), "demucs", str(song(tmp_path / "s.wav", 120)), "--model", str(SEPARATOR), "-o", str(tmp_path / "out"), "--shifts", "100"]
    process = start(command, stderr=subprocess.PIPE, env={**os.environ, "TMPDIR": str(tmp_path)})
    while not list(tmp_path.glob("out/.slipway-*")):  # the stems are under way
        time.sleep(0.05)
    begin = time.monotonic()
    process.send_signal(sent)
    assert process.wait(10) == status, process.stderr.read()
    assert time.monotonic() - begin < ENDS_WITHIN_SECONDS
    assert leftovers(tmp_path) == [] and not list(tmp_path.glob("out/*"))
    assert "not written" in process.stderr.read().decode()


@pytest.mark.parametrize("sent,status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("verb", ["profile", "bench", "compile"])
def test_a_signal_ends_a_measurement(start, verb: str, sent: signal.Signals, status: int, tmp_path: Path) -> None:
    words = {
        "profile": ["--iterations", "100000000", "--all-iterations", "--trace", tmp_path / "trace.json"],
        "bench": ["--iterations", "100000000", "--all-iterations"],
        "compile": ["--target", "onnx", "-o", tmp_path / "out.onnx"],
    }[verb]
    command = [str(SLIPWAY), verb, str(GOLDEN / "models/conv.onnx"), *map(str, words)]
    process = start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "TMPDIR": str(tmp_path)})
    time.sleep(0.02 if verb == "compile" else 1)
    process.send_signal(sent)
    ended = process.wait(10)
    assert ended == status or (verb == "compile" and ended in (0, -sent)), process.stderr.read()
    if ended != -sent:  # it came before the program had begun
        assert leftovers(tmp_path) == []


def test_a_second_signal_ends_at_once(start, tmp_path: Path) -> None:
    command = [str(SLIPWAY), "demucs", str(song(tmp_path / "s.wav", 120)), "--model", str(SEPARATOR), "-o", str(tmp_path / "out"), "--shifts", "100"]
    process = start(command, stderr=subprocess.PIPE, env={**os.environ, "TMPDIR": str(tmp_path)})
    while not list(tmp_path.glob("out/.slipway-*")):  # the stems are under way
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    begin = time.monotonic()
    assert process.wait(10) == 130
    assert time.monotonic() - begin < ENDS_WITHIN_SECONDS
    assert leftovers(tmp_path) == []


def test_a_signal_that_was_ignored_stays_so(tmp_path: Path) -> None:
    command = [str(SLIPWAY), "face-det-lite", *map(str, FRAME_VERBS["face-det-lite"]), "-", "--json"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    process.stdin.write(stream_of(2))
    process.stdin.flush()
    process.stdout.readline()
    process.send_signal(signal.SIGHUP)
    process.stdin.write(stream_of(2)[stream_of(2).index(b"FRAME"):])
    process.stdin.close()
    process.stdout.read()
    assert process.wait(20) == 0


@frame_verbs
@pytest.mark.parametrize("words", [["--json"], []], ids=["json", "text"])
def test_a_full_disk_behind_standard_output_is_an_error(verb: str, words: list[str], tmp_path: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = run_frames(verb, sample_image(tmp_path / "x.png"), *words, stdout=full, stderr=subprocess.PIPE, capture_output=False)
    assert done.returncode == 1 and b"No space left" in done.stderr


@pytest.mark.parametrize("words", [["--help"], ["completion", "bash"], ["inspect", ADD], ["doctor"]], ids=lambda w: str(w[0]))
def test_other_verbs_notice_a_full_disk_too(words: list, tmp_path: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = slipway(*words, stdout=full, stderr=subprocess.PIPE, capture_output=False)
    assert done.returncode == 1 and b"No space left" in done.stderr


@frame_verbs
def test_a_broken_pipe_ends_in_silence(verb: str, tmp_path: Path) -> None:
    (tmp_path / "v.y4m").write_bytes(stream_of(200))
    command = [str(SLIPWAY), verb, *map(str, FRAME_VERBS[verb]), str(tmp_path / "v.y4m"), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(30) == 128 + signal.SIGPIPE
    errors = process.stderr.read().decode()
    assert "slipway:" not in errors and "ipe" not in errors, errors


def limited() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))


@frame_verbs
@pytest.mark.parametrize("name", ["out.png", "out.mp4", "out.mkv"])
def test_an_overlay_that_does_not_fit_leaves_nothing(verb: str, name: str, tmp_path: Path) -> None:
    if name == "out.png":
        done = run_frames(verb, sample_image(tmp_path / "x.png", size=(320, 240)), "-o", tmp_path / name, preexec_fn=limited)
    else:
        done = run_frames(verb, "-", "-o", tmp_path / name, input=stream_of(30), preexec_fn=limited)
    assert done.returncode == 1, done.stderr.decode()
    assert not (tmp_path / name).exists() and leftovers(tmp_path) == []


def test_arrays_that_do_not_fit_leave_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "out.npz").write_text("old")
    big = GOLDEN / "yolov8/tiny.onnx"
    done = slipway("infer", big, "--random", "1", "--output", tmp_path / "out.npz", preexec_fn=limited)
    assert done.returncode == 1 and b"too large" in done.stderr.lower() or b"space" in done.stderr.lower(), done.stderr
    assert (tmp_path / "out.npz").read_text() == "old" and leftovers(tmp_path) == []
