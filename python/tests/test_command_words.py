"""The commands as a person uses them: one set of words, outputs looked at first, progress, and what is said of mistakes."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_command_files import ADD, follow, frames_folder

from python.tests.commands import FRAME_VERBS, GOLDEN, SEPARATOR, SLIPWAY, frame_verbs, lines_of, needs_slipway, run_frames, sample_image, slipway, song, stream_of

pytestmark = needs_slipway

VERBS = ["inspect", "convert", "infer", "profile", "bench", "compile", "demucs", "demucs preprocess", "demucs postprocess", "drone", "face-det-lite",
         "mediapipe-face", "mediapipe-hand", "mediapipe-pose", "samurai", "samurai replay", "samurai validate", "serve", "doctor", "completion", "token"]


def text_of(done: subprocess.CompletedProcess) -> str:
    return (done.stdout + done.stderr).decode(errors="replace")


# One set of words


@pytest.mark.parametrize("verb", VERBS)
def test_every_help_has_three_examples_of_its_own(verb: str) -> None:
    done = slipway(*verb.split(), "--help")
    assert done.returncode == 0
    examples = [line for line in done.stdout.decode().split("Examples:\n")[1].splitlines() if re.match(r"  (source <\()?slipway ", line)]
    assert len(examples) == 3
    assert all(f"slipway {verb}" in example for example in examples), examples


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in ("serve", "doctor", "completion", "token", "convert", "samurai replay", "demucs postprocess")])
def test_a_model_is_named_by_m(verb: str) -> None:
    assert re.search(r"-m,\s?--model", slipway(*verb.split(), "--help").stdout.decode())


@pytest.mark.parametrize("verb", ["convert", "infer", "compile", "demucs", "drone", "face-det-lite", "mediapipe-face", "mediapipe-hand", "mediapipe-pose", "samurai"])
def test_an_output_is_named_by_o(verb: str) -> None:
    assert re.search(r"-o,\s?--output\b", slipway(verb, "--help").stdout.decode())


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in ("completion", "token")])
@pytest.mark.parametrize("option", ["--json", "--json-file", "--quiet"])
def test_every_verb_prints_json_and_can_be_quiet(verb: str, option: str) -> None:
    assert re.search(rf"^  {option}\b", slipway(*verb.split(), "--help").stdout.decode(), re.MULTILINE)


def test_old_names_are_taken_with_a_note(tmp_path: Path) -> None:
    done = slipway("infer", ADD, "--random", "1", "--outputs", tmp_path / "o.npz")
    assert done.returncode == 0 and b"note: --outputs is --output today" in done.stderr
    assert np.load(tmp_path / "o.npz").files
    done = slipway("infer", ADD, "--random", "1", f"--outputs={tmp_path / 'p.npz'}", "--quiet")
    assert done.returncode == 0 and not done.stderr and not done.stdout and (tmp_path / "p.npz").exists()
    done = run_frames("drone", sample_image(tmp_path / "x.png"), "--detector-provider", "cpu")
    assert done.returncode == 0 and b"--detector-provider is --provider detector=cpu today" in done.stderr
    frames_folder(tmp_path / "fr")
    done = follow(tmp_path / "fr", "--output-video", tmp_path / "o.mp4", "--json", tmp_path / "f.jsonl")
    assert done.returncode == 0, text_of(done)
    assert b"--output-video is --output today" in done.stderr and b"--json FILE is --json-file FILE today" in done.stderr
    assert len((tmp_path / "f.jsonl").read_text().splitlines()) == 4 and (tmp_path / "o.mp4").exists()


def test_json_of_samurai_is_a_flag_that_swallows_no_input(tmp_path: Path) -> None:
    done = follow("--json", frames_folder(tmp_path / "fr"))
    assert done.returncode == 0 and len(lines_of(done)) == 4, text_of(done)


def test_words_behind_two_dashes_are_names(tmp_path: Path) -> None:
    sample_image(tmp_path / "x.png").rename(tmp_path / "--detector-provider")
    done = slipway("drone", *FRAME_VERBS["drone"], "--", "--detector-provider", cwd=tmp_path)
    assert b"today" not in done.stderr


@pytest.mark.parametrize(
    ("provider", "words"),
    [
        ("detector=openvino,segmenter=qnn", ["openvino and qnn", "different builds"]),
        ("detector=cuda,segmenter=openvino", ["cuda and openvino", "different builds"]),
        ("tracker=cpu", ["no network 'tracker'", "detector=NAME,segmenter=NAME"]),
        ("detector=gpu", ["no provider 'gpu'", "cpu, qnn"]),
        ("tpu", ["no provider 'tpu'"]),
    ],
)
def test_providers_that_cannot_be_together_are_refused_by_name(provider: str, words: list[str], tmp_path: Path) -> None:
    done = run_frames("drone", sample_image(tmp_path / "x.png"), "--segmenter", GOLDEN / "segmentation/tiny.onnx", "--provider", provider)
    assert done.returncode == 2
    assert all(word in text_of(done) for word in words), text_of(done)


@pytest.mark.parametrize("provider", ["cpu", "detector=cpu,segmenter=cpu", "segmenter=cpu"])
def test_each_network_of_two_has_its_provider(provider: str, tmp_path: Path) -> None:
    done = run_frames("drone", sample_image(tmp_path / "x.png"), "--segmenter", GOLDEN / "segmentation/tiny.onnx", "-p", provider, "--json")
    assert done.returncode == 0, text_of(done)
    assert lines_of(done)[-1]["segmenter"]["provider"] == "cpu"


# Outputs are looked at before anything runs


@pytest.fixture
def no_network(tmp_path: Path) -> Path:
    """What is said of the output is said before this is opened."""
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"no network at all")
    return path


@frame_verbs
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["x.png", "-o", "missing/x.png"], "there is no folder missing"),
        (["x.png", "-o", "x.txt"], ".png or .jpg"),
        (["x.png", "-o", "seen.mp4"], "expected a picture"),
        (["v.y4m.mkv", "-o", "seen.png"], "expected a video"),
        (["x.png", "-o", "broken.onnx/seen.png"], "is a file, not a folder"),
        (["x.png", "y.png", "-o", "seen.png"], "there are 2 inputs"),
        (["x.png", "--json-file", "missing/x.json"], "there is no folder missing"),
        (["x.png", "--json-file", "folder"], "is a folder"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_output_that_cannot_be_is_refused_first(verb: str, words: list[str], said: str, no_network: Path, tmp_path: Path) -> None:
    for name in ("x.png", "y.png"):
        sample_image(tmp_path / name)
    (tmp_path / "folder").mkdir()
    (tmp_path / "v.y4m.mkv").write_bytes(stream_of(2))
    flags = [*FRAME_VERBS[verb][:-1], no_network]
    done = slipway(verb, *flags, *words, cwd=tmp_path)
    assert done.returncode == 2, text_of(done)
    assert said in text_of(done)


@pytest.mark.parametrize(
    "words",
    [
        ["infer", "broken.onnx", "--random", "1", "-o", "missing/o.npz"],
        ["infer", "broken.onnx", "--random", "1", "-o", "o.txt"],
        ["infer", "broken.onnx", "--random", "1", "-o", "."],
        ["profile", "broken.onnx", "--trace", "missing/t.json"],
        ["bench", "broken.onnx", "--json-file", "missing/t.json"],
        ["inspect", "broken.onnx", "--json-file", "broken.onnx/t.json"],
        ["samurai", "fr", "-m", "none", "--box", "1,1,5,5", "-o", "o.png"],
        ["samurai", "fr", "-m", "none", "--box", "1,1,5,5", "--trace", "missing/t.json"],
        ["compile", "broken.onnx", "-o", "broken.onnx/out"],
    ],
    ids=" ".join,
)
def test_every_verb_looks_at_its_outputs_first(words: list[str], no_network: Path, tmp_path: Path) -> None:
    frames_folder(tmp_path / "fr")
    done = slipway(*words, cwd=tmp_path)
    assert done.returncode == 2, text_of(done)
    assert re.search(r"--(output|trace|json-file) ", text_of(done)), text_of(done)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc")
def test_a_folder_that_takes_no_files_is_seen_first(no_network: Path) -> None:
    done = slipway("infer", no_network, "--random", "1", "-o", "/proc/o.npz")
    assert done.returncode in (1, 2) and "--output /proc/o.npz cannot be written" in text_of(done), text_of(done)


# Lines name what they are about


@frame_verbs
def test_lines_name_input_and_output(verb: str, tmp_path: Path) -> None:
    names = [str(sample_image(tmp_path / name, i)) for i, name in enumerate(("a.png", "b.jpg"))]
    done = run_frames(verb, *names, "-o", tmp_path / "out", "--json")
    frames = [line for line in lines_of(done) if "width" in line]
    assert [line["input"] for line in frames] == names
    assert [line["output"] for line in frames] == [str(tmp_path / "out/a.png"), str(tmp_path / "out/b.jpg")]
    assert all(Path(line["output"]).exists() for line in frames)


def test_lines_of_the_other_verbs_name_input_and_output(tmp_path: Path) -> None:
    specs = lines_of(slipway("inspect", ADD, "--json"))[0]["inputs"]
    np.savez(tmp_path / "i.npz", **{spec["name"]: np.zeros(spec["shape"], spec["dtype"]) for spec in specs})
    line = lines_of(slipway("infer", ADD, "-i", tmp_path / "i.npz", "-o", tmp_path / "o.npz", "--json"))[0]
    assert (line["input"], line["output"]) == (str(tmp_path / "i.npz"), str(tmp_path / "o.npz"))
    line = lines_of(slipway("demucs", song(tmp_path / "s.wav"), "-m", SEPARATOR, "-o", tmp_path / "stems", "--json"))[0]
    assert (line["input"], line["output"]) == (str(tmp_path / "s.wav"), str(tmp_path / "stems"))
    lines = lines_of(follow(frames_folder(tmp_path / "fr"), "-o", tmp_path / "o.mp4", "--json"))
    assert lines[0]["input"] == str(tmp_path / "fr/00000.png") and lines[0]["output"] == str(tmp_path / "o.mp4")


@frame_verbs
def test_a_missing_input_is_a_line_and_not_the_end(verb: str, tmp_path: Path) -> None:
    names = [sample_image(tmp_path / "a.png"), tmp_path / "missing.png", tmp_path / "nothing", sample_image(tmp_path / "b.png")]
    (tmp_path / "nothing").mkdir()
    done = run_frames(verb, *names, "-o", tmp_path / "out", "--json")
    assert done.returncode == 1
    lines = [line for line in lines_of(done) if "input" in line]
    assert [line["input"] for line in lines] == list(map(str, names))
    assert ["error" in line for line in lines] == [False, True, True, False]
    assert "2 inputs could not be read" in done.stderr.decode()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "b.png"]


@frame_verbs
def test_inputs_that_are_all_missing_end_before_a_network_is_opened(verb: str, no_network: Path, tmp_path: Path) -> None:
    done = slipway(verb, *FRAME_VERBS[verb][:-1], no_network, tmp_path / "a.png", tmp_path / "b.png")
    assert done.returncode == 1 and "a.png: no such file or folder" in text_of(done)


# Images on standard input


@frame_verbs
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("ending", [".png", ".jpg", ".mp4"])
def test_an_image_on_standard_input_comes_out_as_what_was_named(verb: str, kind: str, ending: str, tmp_path: Path) -> None:
    sample_image(tmp_path / "x.png")
    Image.open(tmp_path / "x.png").save(tmp_path / "in", kind)
    done = run_frames(verb, "-", "-o", tmp_path / f"out{ending}", input=(tmp_path / "in").read_bytes())
    assert done.returncode == 0, text_of(done)
    if ending != ".mp4":
        assert Image.open(tmp_path / f"out{ending}").size == (64, 48)


@frame_verbs
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "TIFF", "WEBP"])
def test_an_image_on_standard_input_goes_into_a_folder_as_an_image(verb: str, kind: str, tmp_path: Path) -> None:
    sample_image(tmp_path / "x.png")
    Image.open(tmp_path / "x.png").save(tmp_path / "in", kind)
    done = run_frames(verb, "-", "-o", tmp_path / "out", "--json", input=(tmp_path / "in").read_bytes())
    assert done.returncode == 0, text_of(done)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["standard_input.png"]
    assert Image.open(tmp_path / "out/standard_input.png").size == (64, 48)
    assert f'"output":"{tmp_path}/out/standard_input.png"' in done.stdout.decode().replace(" ", "")


@frame_verbs
@pytest.mark.parametrize("kind", ["pictures", "video"])
def test_what_has_more_frames_goes_into_a_folder_as_a_video(verb: str, kind: str, tmp_path: Path) -> None:
    stream = stream_of(3)
    if kind == "pictures":
        stream = b"".join(sample_image(tmp_path / f"{i}.jpg", i).read_bytes() for i in range(3))
    done = run_frames(verb, "-", "-o", tmp_path / "out", "--json", input=stream)
    assert done.returncode == 0, text_of(done)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["standard_input.mp4"]
    assert [json.loads(line)["frame"] for line in done.stdout.splitlines() if b'"frame"' in line] == [0, 1, 2]


@frame_verbs
def test_pipes_of_images_and_a_file_of_their_name_have_files_of_their_own(verb: str, tmp_path: Path) -> None:
    content = sample_image(tmp_path / "x.png").read_bytes()
    (tmp_path / "pipes").mkdir()
    os.mkfifo(tmp_path / "pipes/x.png")
    writer = threading.Thread(target=lambda: (tmp_path / "pipes/x.png").write_bytes(content))
    writer.start()
    done = run_frames(verb, tmp_path / "pipes/x.png", tmp_path / "x.png", "-o", tmp_path / "out")
    writer.join()
    assert done.returncode == 0, text_of(done)
    assert sorted(path.suffix for path in (tmp_path / "out").iterdir()) == [".png", ".png"]


def test_a_video_on_standard_input_is_no_image(tmp_path: Path) -> None:
    done = run_frames("face-det-lite", "-", "-o", tmp_path / "out.png", input=stream_of(3))
    assert done.returncode == 1 and "more than one frame: name a video" in text_of(done)


# Progress


def on_a_terminal(*words: object) -> str:
    """What a command shows on standard error when that is a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([str(SLIPWAY), *map(str, words)], stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    assert process.wait() == 0, shown
    return shown.decode(errors="replace")


@frame_verbs
def test_a_folder_and_a_video_have_a_progress_bar_with_the_time_left(verb: str, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i in range(40):
        sample_image(folder / f"{i}.png", i, (640, 480))
    shown = on_a_terminal(verb, *FRAME_VERBS[verb], folder)
    assert re.search(r"\[#*\.+\] \d+/40", shown) and re.search(r"\d:\d\d left", shown), shown
    assert "\x1b[K" in shown.split("/40")[-1], "the line is cleared at the end"
    run_frames(verb, "-", "-o", tmp_path / "v.mp4", input=stream_of(30))
    assert re.search(r"\[[#.]*\] \d+/30", on_a_terminal(verb, *FRAME_VERBS[verb], tmp_path / "v.mp4"))


@frame_verbs
def test_one_image_needs_no_bar_and_quiet_shows_none(verb: str, tmp_path: Path) -> None:
    assert "[" not in on_a_terminal(verb, *FRAME_VERBS[verb], sample_image(tmp_path / "x.png"))
    assert on_a_terminal(verb, *FRAME_VERBS[verb], tmp_path / "x.png", sample_image(tmp_path / "y.png"), "--quiet") == ""


@frame_verbs
def test_quiet_prints_nothing_and_leaves_json(verb: str, tmp_path: Path) -> None:
    done = run_frames(verb, sample_image(tmp_path / "x.png"), "--quiet")
    assert done.returncode == 0 and not done.stdout and not done.stderr
    assert lines_of(run_frames(verb, tmp_path / "x.png", "--quiet", "--json"))


# Wording


@frame_verbs
def test_one_is_singular(verb: str, tmp_path: Path) -> None:
    said = text_of(run_frames(verb, sample_image(tmp_path / "x.png")))
    assert not re.search(r"\b1 (faces|hands|poses|objects|pictures|frames|inputs|landmark runs)\b", said), said
    assert not re.search(r"\b0 (face|hand|pose|object|picture)\b", said), said


# What was found in place of what was expected

WRONG_FILES = {
    "text": (b"hello world, this is text\n", "text"),
    "empty": (b"", "empty"),
    "pdf": (b"%PDF-1.7 a document", "a PDF document"),
    "pickle": (b"\x80\x02}q\x00.", "a Python pickle"),
    "tflite": (b"\x1c\x00\x00\x00TFL3" + bytes(40), "a TFLite model"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
    "random": (bytes(np.random.default_rng(3).integers(128, 255, 300, np.uint8)), "bytes of no format known here"),
}
RAW_LIBRARY_TEXT = re.compile(r"Protobuf parsing failed|Invalid argument|Invalid data found|Unrecognized archive|Stream not found|json\.exception|No graph was found|divide by 1\b")

wrong_files = pytest.mark.parametrize("kind", WRONG_FILES)


def wrong_file(tmp_path: Path, kind: str, ending: str) -> tuple[Path, str]:
    content, said = WRONG_FILES[kind]
    path = tmp_path / f"wrong{ending}"
    path.write_bytes(content)
    return path, said


@wrong_files
@pytest.mark.parametrize("verb", ["inspect", "infer", "profile", "bench", "compile", *FRAME_VERBS, "demucs"])
def test_a_model_of_another_format_is_named(verb: str, kind: str, tmp_path: Path) -> None:
    model, said = wrong_file(tmp_path, kind, ".onnx")
    if verb in FRAME_VERBS:
        done = slipway(verb, *FRAME_VERBS[verb][:-1], model, sample_image(tmp_path / "x.png"))
    elif verb == "demucs":
        done = slipway(verb, song(tmp_path / "s.wav"), "-m", model, "-o", tmp_path / "out")
    else:
        done = slipway(verb, model, *{"infer": ["--random", "1", "-o", tmp_path / "o.npz"], "compile": ["-o", tmp_path / "o.onnx"]}.get(verb, []))
    assert done.returncode == 1
    assert said in text_of(done) and "wrong.onnx" in text_of(done), text_of(done)
    assert not RAW_LIBRARY_TEXT.search(text_of(done)), text_of(done)


INPUTS = {
    ".png": ["face-det-lite", *FRAME_VERBS["face-det-lite"]],
    ".mp4": ["face-det-lite", *FRAME_VERBS["face-det-lite"]],
    ".mp3": ["demucs", "-m", SEPARATOR, "-o", "out"],
    ".npz": ["infer", ADD, "-o", "o.npz", "-i"],
}


@wrong_files
@pytest.mark.parametrize("ending", INPUTS)
def test_an_input_of_another_format_is_named(ending: str, kind: str, tmp_path: Path) -> None:
    path, said = wrong_file(tmp_path, kind, ending)
    done = slipway(*INPUTS[ending], path, cwd=tmp_path)
    assert done.returncode == 1
    assert said in text_of(done) and path.name in text_of(done), text_of(done)
    assert not RAW_LIBRARY_TEXT.search(text_of(done)), text_of(done)


@wrong_files
@pytest.mark.parametrize("words", [["samurai", "replay"], ["convert", "-o", "x.onnx", "-m"]], ids=" ".join)
def test_other_files_are_answered_in_our_words(words: list[str], kind: str, tmp_path: Path) -> None:
    path, _ = wrong_file(tmp_path, kind, ".json")
    done = slipway(*words, path, cwd=tmp_path)
    assert done.returncode == 1 and path.name in text_of(done), text_of(done)
    assert not RAW_LIBRARY_TEXT.search(text_of(done)), text_of(done)


@frame_verbs
def test_a_network_of_another_shape_is_told_without_sides_that_divide_by_one(verb: str, tmp_path: Path) -> None:
    done = slipway(verb, *FRAME_VERBS[verb][:-1], GOLDEN / "models/matmul.onnx", sample_image(tmp_path / "x.png"))
    assert done.returncode == 1 and not RAW_LIBRARY_TEXT.search(text_of(done)), text_of(done)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["token"], "token: expected one of create, list, revoke"),
        (["token", "make"], "token: expected one of create, list, revoke"),
        (["token", "create"], "--data is required"),
        (["token", "list", "--data", "none"], "none holds no hub"),
        (["serve", "--data", "x.png"], "x.png is a file, not a folder"),
        (["serve", "--data", "hub", "--listen", "here"], "expected ADDRESS:PORT"),
        (["serve", "--data", "hub", "--listen", "127.0.0.1:0", "--json-file", "missing/lines"], "there is no folder missing"),
        (["doctor", "--json-file", "missing/lines"], "there is no folder missing"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_hubs_and_their_tokens_say_what_they_expect(words: list[str], said: str, tmp_path: Path) -> None:
    sample_image(tmp_path / "x.png")
    done = slipway(*words, cwd=tmp_path)
    assert done.returncode in (1, 2) and said in text_of(done), text_of(done)
    assert not RAW_LIBRARY_TEXT.search(text_of(done)) and "subcommand is required" not in text_of(done)
