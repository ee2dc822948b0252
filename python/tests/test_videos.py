"""Drawn-over videos have the times, the geometry, the colours and the sound of what they were made from."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from python.tests.commands import SAMURAI, needs_slipway, run_frames, slipway
from python.tests.ffmpeg import description, duration, ffmpeg, first_frame, frame_times, packets

pytestmark = needs_slipway


def faces(source: Path, target: Path, *words: object, **options) -> subprocess.CompletedProcess:
    """With none drawn, so that pixels can be compared."""
    return run_frames("face-det-lite", "--score-min", 1, source, "-o", target, *words, **options)


def draw(source: Path, target: Path, *words: object, **options) -> subprocess.CompletedProcess:
    done = faces(source, target, *words, **options)
    assert done.returncode == 0, done.stderr.decode()
    return done


BARS = ["-f", "lavfi", "-i", "smptebars=size=128x96:rate=10:duration=2"]
TONE = ["-f", "lavfi", "-i", "sine=frequency=440:duration=2.3"]
H264 = ["-c:v", "libx264", "-preset", "ultrafast"]


# Time

UNEVEN = ["-f", "lavfi", "-i", "smptebars=size=128x96:rate=30:duration=0.7"]
RARE = "setpts='if(lt(N,5),N/30,if(lt(N,6),4,4+(N-5)/30))/TB'"  # five frames quickly, nothing for four seconds, more
CLIPS = {
    "constant.mp4": [*BARS, *H264],
    "ntsc.mp4": ["-f", "lavfi", "-i", "smptebars=size=128x96:rate=30000/1001:duration=1", *H264],
    "film.mkv": ["-f", "lavfi", "-i", "smptebars=size=128x96:rate=24000/1001:duration=1", *H264],
    "variable.mp4": [*UNEVEN, "-vf", RARE, "-fps_mode", "passthrough", *H264],
    "variable.mkv": [*UNEVEN, "-vf", RARE, "-fps_mode", "passthrough", *H264],
    "variable.webm": [*UNEVEN, "-vf", RARE, "-fps_mode", "passthrough", "-c:v", "libvpx-vp9", "-cpu-used", 8],
    "variable.ts": [*UNEVEN, "-vf", RARE, "-fps_mode", "passthrough", *H264],
    "slow.mp4": ["-f", "lavfi", "-i", "smptebars=size=128x96:rate=1/3:duration=12", *H264],
    "reordered.mp4": [*BARS, "-c:v", "libx264", "-bf", 3, "-preset", "medium"],
    "broken_rate.flv": [*UNEVEN, "-vf", RARE, "-fps_mode", "passthrough", *H264],
    "old.avi": [*BARS, "-c:v", "mpeg4"],
    "intra.mov": [*BARS, "-c:v", "mjpeg", "-pix_fmt", "yuvj420p"],
}


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".mov"])
@pytest.mark.parametrize("name", CLIPS)
def test_frames_stand_at_their_times(name: str, ending: str, tmp_path: Path) -> None:
    clip, out = tmp_path / name, tmp_path / f"out{ending}"
    ffmpeg(*CLIPS[name], clip)
    draw(clip, out)
    assert frame_times(out) == pytest.approx(frame_times(clip), abs=0.0015)


@pytest.mark.parametrize("name", ["constant.mp4", "ntsc.mp4", "variable.mp4", "slow.mp4", "reordered.mp4", "intra.mov"])
def test_the_last_frame_ends_when_it_ended(name: str, tmp_path: Path) -> None:
    clip, out = tmp_path / name, tmp_path / "out.mp4"
    ffmpeg(*CLIPS[name], clip)
    draw(clip, out)
    assert packets(out)[-1].end == pytest.approx(packets(clip)[-1].end, abs=0.002)
    assert duration(out) == pytest.approx(duration(clip), abs=0.02)


def test_a_long_last_frame_stays_long_also_where_only_the_file_says_so(tmp_path: Path) -> None:
    list_file, one, clip = tmp_path / "list", tmp_path / "one.mkv", tmp_path / "clip.mkv"
    ffmpeg(*BARS, "-frames:v", 3, *H264, one)
    list_file.write_text(f"file {one}\nduration 5\n")
    # A stream of subtitles that is dropped again leaves the length of the file behind.
    ffmpeg("-i", one, "-vf", "tpad=stop_mode=clone:stop_duration=5,select='lt(n,4)'", "-fps_mode", "passthrough", *H264, clip)
    draw(clip, tmp_path / "out.mkv")
    assert duration(tmp_path / "out.mkv") == pytest.approx(duration(clip), abs=0.01)


@pytest.mark.parametrize("name", ["late.mp4", "late.mkv", "late_by_itself.mp4", "late_by_itself.mkv"])
def test_a_late_start_is_kept(name: str, tmp_path: Path) -> None:
    base, clip, out = tmp_path / "base.mkv", tmp_path / name, tmp_path / f"out{Path(name).suffix}"
    ffmpeg(*BARS, *H264, base)
    sound = [] if "itself" in name else [*TONE, "-map", "0:v", "-map", "1:a", "-c:a", "aac"]
    ffmpeg("-itsoffset", 0.7, "-i", base, *sound, "-c:v", "copy", "-avoid_negative_ts", "disabled", clip)
    draw(clip, out)
    assert packets(out)[0].time == pytest.approx(0.7, abs=0.03)
    # Matroska has no time before 0, where the sound's delay stands: all is moved by it.
    assert [p.time for p in packets(out)] == pytest.approx([p.time for p in packets(clip)], abs=0.03 if name == "late.mkv" else 0.002)


# Geometry


@pytest.mark.parametrize("mirror", [(), ("-display_hflip",), ("-display_vflip",), ("-display_hflip", "-display_vflip")], ids=" ".join)
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_frames_are_turned_and_mirrored_as_ffmpeg_does(degrees: int, mirror: tuple[str, ...], tmp_path: Path) -> None:
    base, clip, out = tmp_path / "base.mp4", tmp_path / "clip.mp4", tmp_path / "out.mp4"
    ffmpeg(*BARS, "-frames:v", 3, *H264, "-crf", 10, base)
    ffmpeg("-display_rotation", degrees, *mirror, "-i", base, "-c", "copy", clip)
    draw(clip, out)
    right, found = first_frame(clip), first_frame(out)
    assert found.shape == right.shape
    assert np.abs(found - right).mean() < 6


@pytest.mark.parametrize("aspect", ["4/3", "16/11", "1/2", "1"])
@pytest.mark.parametrize("degrees", [0, 90])
def test_pixels_keep_their_shape(aspect: str, degrees: int, tmp_path: Path) -> None:
    base, clip = tmp_path / "base.mp4", tmp_path / "clip.mp4"
    ffmpeg(*BARS, "-frames:v", 3, "-vf", f"setsar={aspect}", *H264, base)
    ffmpeg("-display_rotation", degrees, "-i", base, "-c", "copy", clip)
    width, height = (int(n) for n in (aspect + "/1").split("/")[:2])
    for ending in (".mp4", ".mkv", ".mov"):
        out = tmp_path / f"out{ending}"
        draw(clip, out)
        right = f"SAR {height}:{width}" if degrees else f"SAR {width}:{height}"
        assert right in description(out), description(out)


# Colours


MATRICES = ["bt709", "smpte170m", "bt470bg", "bt2020nc", "smpte240m", "fcc"]


def coloured(clip: Path, matrix: str, full: str, size: str, *words: object) -> Path:
    ffmpeg("-f", "lavfi", "-i", f"smptebars=size={size}:rate=10:duration=0.3,format=rgb24,scale=out_color_matrix={matrix}:out_range={full},format=yuv420p",
           *H264, "-crf", 5, "-colorspace", matrix, "-color_range", full, *words, clip)
    return clip


def inside_bars(image: np.ndarray) -> np.ndarray:
    """A pixel of each: coding blurs their edges."""
    bar = -(-image.shape[1] // 14) * 2
    return image[image.shape[0] // 3, list(range(bar // 2, image.shape[1], bar))].astype(int)


@pytest.mark.parametrize("size", ["128x96", "1280x720"])
@pytest.mark.parametrize("full", ["tv", "pc"])
@pytest.mark.parametrize("matrix", MATRICES)
def test_colours_are_read_by_matrix_and_range(matrix: str, full: str, size: str, tmp_path: Path) -> None:
    clip, out = coloured(tmp_path / "clip.mkv", matrix, full, size, "-frames:v", 1), tmp_path / "out.png"
    # Comes out as an image: what a video would be written with could take back what it was read with.
    draw(Path("-"), out, input=clip.read_bytes())
    assert np.abs(inside_bars(np.asarray(Image.open(out))) - inside_bars(first_frame(clip))).max() <= 4


@pytest.mark.parametrize("size", ["128x96", "1280x720"])
@pytest.mark.parametrize("full", ["tv", "pc"])
@pytest.mark.parametrize("matrix", MATRICES)
def test_colours_follow_matrix_and_range(matrix: str, full: str, size: str, tmp_path: Path) -> None:
    clip, out = coloured(tmp_path / "clip.mkv", matrix, full, size), tmp_path / "out.mp4"
    draw(clip, out)
    assert np.abs(inside_bars(first_frame(out)) - inside_bars(first_frame(clip))).max() <= 4
    shown = description(out)
    assert f"{full}" in shown and matrix in shown, shown


# Sound

SOUNDS = {
    "aac": ("clip.mp4", "out.mp4"),
    "libmp3lame": ("clip.mp4", "out.mp4"),
    "ac3": ("clip.mkv", "out.mp4"),
    "libopus": ("clip.webm", "out.mp4"),
    "flac": ("clip.mkv", "out.mkv"),
    "pcm_s16le": ("clip.mov", "out.mov"),
    "pcm_s24le": ("clip.mkv", "out.mkv"),
    "libvorbis": ("clip.mkv", "out.mkv"),
    "alac": ("clip.mov", "out.mp4"),
    "mp2": ("clip.mkv", "out.mkv"),
}


def with_sound(path: Path, codec: str) -> Path:
    video = ["-c:v", "libvpx-vp9", "-cpu-used", 8] if path.suffix == ".webm" else H264
    ffmpeg(*BARS, *TONE, *video, "-c:a", codec, path)
    return path


@pytest.mark.parametrize("codec", SOUNDS)
def test_sound_is_copied_to_the_bit(codec: str, tmp_path: Path) -> None:
    clip, out = (tmp_path / name for name in SOUNDS[codec])
    draw(with_sound(clip, codec), out)
    right, found = packets(clip, "a"), packets(out, "a")
    assert [p.checksum for p in found] == [p.checksum for p in right]
    assert [p.time for p in found] == pytest.approx([p.time for p in right], abs=0.03)


def test_sound_of_a_broadcast_is_copied(tmp_path: Path) -> None:
    clip, out = tmp_path / "clip.ts", tmp_path / "out.mp4"
    draw(with_sound(clip, "aac"), out)
    assert len(packets(out, "a")) == len(packets(clip, "a"))
    # What was in time stays in time.
    shift = packets(clip)[0].time - packets(clip, "a")[0].time
    assert packets(out)[0].time - packets(out, "a")[0].time == pytest.approx(shift, abs=0.01)


def test_sound_comes_through_pipes(tmp_path: Path) -> None:
    clip, out = with_sound(tmp_path / "clip.mkv", "aac"), tmp_path / "out.mp4"
    draw(Path("-"), out, input=clip.read_bytes())
    assert [p.checksum for p in packets(out, "a")] == [p.checksum for p in packets(clip, "a")]


def test_no_audio_leaves_it_out(tmp_path: Path) -> None:
    clip, out = with_sound(tmp_path / "clip.mp4", "aac"), tmp_path / "out.mp4"
    draw(clip, out, "--no-audio")
    assert "Audio" not in description(out)


def test_sound_that_the_container_does_not_hold_is_said_with_the_way_out(tmp_path: Path) -> None:
    clip = with_sound(tmp_path / "clip.avi", "pcm_s16le")
    done = draw(clip, tmp_path / "out.mp4")
    assert b"the sound is left out, as .mp4 does not hold pcm_s16le: name a file that ends in .mkv" in done.stderr
    assert len(packets(tmp_path / "out.mp4")) == 20
    assert b"sound" not in draw(clip, tmp_path / "out.mkv").stderr
    assert "pcm_s16le" in description(tmp_path / "out.mkv")


def test_every_video_of_a_list_has_its_own_sound(tmp_path: Path) -> None:
    clips = [with_sound(tmp_path / f"{i}.mp4", codec) for i, codec in enumerate(["aac", "libmp3lame"])]
    ffmpeg(*BARS, *H264, tmp_path / "2.mp4")
    (tmp_path / "out").mkdir()
    draw(clips[0], tmp_path / "out", clips[1], tmp_path / "2.mp4")
    for i, clip in enumerate(clips):
        assert [p.checksum for p in packets(tmp_path / f"out/{i}.mp4", "a")] == [p.checksum for p in packets(clip, "a")]
    assert "Audio" not in description(tmp_path / "out/2.mp4")


def test_a_followed_video_keeps_time_and_sound(tmp_path: Path) -> None:
    clip, out = tmp_path / "clip.mp4", tmp_path / "out.mp4"
    ffmpeg(*UNEVEN, *TONE, "-vf", RARE, "-fps_mode", "passthrough", *H264, "-c:a", "aac", clip)
    done = slipway("samurai", "--model", SAMURAI, "--box", "20,20,30,30", clip, "--output-video", out)
    assert done.returncode == 0, done.stderr.decode()
    assert frame_times(out) == pytest.approx(frame_times(clip), abs=0.002)
    assert [p.checksum for p in packets(out, "a")] == [p.checksum for p in packets(clip, "a")]
