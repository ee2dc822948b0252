"""`slipway demucs` on songs that are not as they should be: with the small golden network where stems are compared."""

import resource
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from python.tests.commands import DEMUCS, GOLDEN, SEPARATOR, run_json, write_wav

MEDIA = GOLDEN / "media"
STEMS = ("drums", "bass", "other", "vocals")


def read_stem(path: Path) -> np.ndarray:
    """[frames, 2] of a float WAV."""
    content = path.read_bytes()
    at = content.index(b"data")
    (size,) = struct.unpack_from("<I", content, at + 4)
    assert len(content) == at + 8 + size
    return np.frombuffer(content, "<f4", size // 4, at + 8).reshape(-1, 2)


def noise(frames: int, channels: int = 2) -> np.ndarray:
    return (0.3 * np.random.default_rng(frames).standard_normal((frames, channels))).astype(np.float32)


def demucs(*words: object, **options) -> tuple[int, dict | None, str]:
    status, lines, errors = run_json("demucs", *words, **options)
    return status, lines[0] if lines else None, errors


@pytest.fixture
def separate(tmp_path):
    """separate(song, ...) -> the stems [4, frames, 2], the report; separate.refuse(song) -> the message."""

    def run(song: Path, *options: object, model: Path = SEPARATOR) -> tuple[np.ndarray, dict]:
        status, report, errors = demucs(song, "--model", model, "--output", tmp_path / "stems", "--overwrite", *options)
        assert status == 0, errors
        assert sorted(p.name for p in (tmp_path / "stems").iterdir()) == sorted(f"{s}.wav" for s in STEMS)
        stems = np.stack([read_stem(tmp_path / "stems" / f"{s}.wav") for s in STEMS])
        assert np.isfinite(stems).all()
        assert report["frames"] == stems.shape[1]
        return stems, report

    def refuse(song: Path) -> str:
        status, _, errors = demucs(song, "--model", SEPARATOR, "--output", tmp_path / "refused")
        assert status == 1
        assert song.name in errors
        assert not (tmp_path / "refused").exists() or not list((tmp_path / "refused").iterdir())
        return errors

    run.refuse = refuse
    return run


def test_silence_gives_silence(separate, tmp_path):
    stems, report = separate(write_wav(tmp_path / "song.wav", np.zeros((20000, 2), np.float32)), model=DEMUCS)
    assert np.abs(stems).max() < 1e-6
    assert report["warnings"] == []


def test_mono_is_both_sides(separate, tmp_path):
    mono = noise(12000, 1)
    one, _ = separate(write_wav(tmp_path / "mono.wav", mono), model=DEMUCS)
    both, _ = separate(write_wav(tmp_path / "stereo.wav", np.repeat(mono, 2, axis=1)), model=DEMUCS)
    assert np.array_equal(one, both)


@pytest.mark.parametrize("rate", [8000, 96000])
def test_other_rates_are_resampled_and_keep_their_length(separate, tmp_path, rate):
    _, report = separate(write_wav(tmp_path / "song.wav", noise(rate // 2), rate))
    assert abs(report["frames"] - 22050) <= 4
    assert report["sample_rate"] == 44100


@pytest.mark.parametrize("frames", [1, 8191, 20001])
def test_any_length_comes_back_sample_for_sample(separate, tmp_path, frames):
    stems, _ = separate(write_wav(tmp_path / "song.wav", noise(frames)), model=DEMUCS)
    assert stems.shape == (4, frames, 2)


def test_clipped_sound_passes_and_integers_say_what_they_clamped(separate, tmp_path):
    square = np.where(np.arange(20000) // 50 % 2, 32767, -32768)[:, None].repeat(2, axis=1).astype(np.int16)
    stems, _ = separate(write_wav(tmp_path / "square.wav", square))
    assert np.abs(stems).max() > 0.1
    # Eight times full scale: float stems keep it, integers count what they cut.
    loud = write_wav(tmp_path / "loud.wav", 8 * noise(20000))
    kept, report = separate(loud)
    over = [int((np.abs(stem) > 1).sum()) for stem in kept]
    assert max(over) > 0
    assert [s["samples_over_full_scale"] for s in report["stems"]] == over
    status, report, errors = demucs(loud, "--model", SEPARATOR, "--output", tmp_path / "integers", "--bits", "16")
    assert status == 0, errors
    assert [s["samples_over_full_scale"] for s in report["stems"]] == over


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_a_number_is_refused_by_its_place(separate, tmp_path, value):
    song = noise(12000)
    song[6789, 1] = value
    assert "sample 6789" in separate.refuse(write_wav(tmp_path / "song.wav", song))


def test_songs_without_samples_are_refused(separate, tmp_path):
    separate.refuse(write_wav(tmp_path / "header.wav", np.zeros((0, 2), np.float32)))
    (tmp_path / "empty.mp3").write_bytes(b"")
    separate.refuse(tmp_path / "empty.mp3")
    (tmp_path / "text.wav").write_text("this is not music\n" * 1000)
    separate.refuse(tmp_path / "text.wav")
    separate.refuse(tmp_path / "missing.flac")


def test_a_truncated_mp3_gives_what_is_there(separate, tmp_path):
    whole, _ = separate(MEDIA / "tone.mp3")
    content = (MEDIA / "tone.mp3").read_bytes()
    (tmp_path / "cut.mp3").write_bytes(content[: len(content) * 2 // 3])
    cut, report = separate(tmp_path / "cut.mp3")
    assert whole.shape[1] // 2 < cut.shape[1] < whole.shape[1]
    assert report["warnings"], "nothing was said about the missing third"


def test_raw_files_of_the_wrong_size_are_refused(tmp_path):
    song = write_wav(tmp_path / "song.wav", noise(20000))
    status, report, errors = demucs("preprocess", song, "--segment-samples", 8192, "--output", tmp_path / "chunks")
    assert status == 0, errors
    size = report["chunks"] * 4 * 2 * 8192 * 4
    for found in (7, size - 4, size + 4):
        (tmp_path / "chunks/add_67.raw").write_bytes(bytes(found))
        status, _, errors = demucs("postprocess", tmp_path / "chunks", "--raw-file", tmp_path / "chunks/add_67.raw", "--output",
                                    tmp_path / "stems")
        assert status == 1
        assert "add_67.raw" in errors and str(found) in errors
        assert not list((tmp_path / "stems").glob("*"))


@pytest.mark.parametrize("format_options", [["--format", "wav"], ["--format", "flac"]], ids=" ".join)
def test_a_full_disk_leaves_the_old_stems_and_no_part_of_new_ones(tmp_path, format_options):
    """A limit on the size of files stands for the disk: write() gives out the same way."""
    short, long = write_wav(tmp_path / "short.wav", noise(4000)), write_wav(tmp_path / "long.wav", noise(60000))
    arguments = ["--model", SEPARATOR, "--output", tmp_path / "stems", *format_options]
    assert demucs(short, *arguments)[0] == 0
    before = {p.name: p.read_bytes() for p in (tmp_path / "stems").iterdir()}
    assert len(before) == 4
    limit = 100_000
    status, _, errors = demucs(long, *arguments, "--overwrite", restore_signals=False,
                                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    assert status == 1
    assert "drums" in errors
    assert {p.name: p.read_bytes() for p in (tmp_path / "stems").iterdir()} == before


def test_plots_are_drawn_beside_the_stems(tmp_path):
    song = write_wav(tmp_path / "song.wav", noise(20000))
    status, report, errors = demucs(song, "--model", SEPARATOR, "--output", tmp_path / "stems", "--two-stems", "vocals", "--plot")
    assert status == 0, errors
    assert [Path(s["picture"]).name for s in report["stems"]] == ["vocals.png", "no_vocals.png"]
    for stem in report["stems"]:
        image = np.asarray(Image.open(stem["picture"]).convert("L"))
        assert image.shape == (632, 1280)
        assert image.std() > 10
