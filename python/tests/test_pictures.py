"""Images are read as Pillow reads them, by whatever way they come; folders are read as people count."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from python.tests.commands import SAMURAI, frame_verbs, lines_of, needs_slipway, run_frames, slipway
from python.tests.ffmpeg import first_frame

pytestmark = needs_slipway


def read(source: object, target: Path, **options) -> np.ndarray:
    """The pixels of an image as the commands see them: of an overlay on which nothing is drawn."""
    done = run_frames("face-det-lite", "--score-min", 1, source, "-o", target, **options)
    assert done.returncode == 0, done.stderr.decode()
    return first_frame(target) if target.suffix == ".mp4" else np.asarray(Image.open(target)).astype(int)


def quarters(size: tuple[int, int] = (64, 48)) -> Image.Image:
    """Another colour in each corner, so that each of the eight orientations looks different."""
    width, height = size
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = (220, 40, 40)
    pixels[: height // 2, width // 2 :] = (40, 220, 40)
    pixels[height // 2 :, : width // 2] = (40, 40, 220)
    pixels[height // 2 :, width // 2 :] = (230, 230, 60)
    return Image.fromarray(pixels)


def tiff_block(value: int, order: str = "<", form: str = "SHORT", before: int = 0) -> bytes:
    """A directory with an orientation, as cameras write it into EXIF; `before`: so many other tags first."""
    rows = [struct.pack(order + "HHI", 0x100 + i, 3, 1) + struct.pack(order + "H", i) + b"\0\0" for i in range(before)]
    packed = {"SHORT": (3, struct.pack(order + "H", value) + b"\0\0"), "LONG": (4, struct.pack(order + "I", value)), "BYTE": (1, bytes([value & 255, 0, 0, 0]))}
    kind, four = packed[form]
    rows.append(struct.pack(order + "HHI", 0x112, kind, 1) + four)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    return head + struct.pack(order + "H", len(rows)) + b"".join(rows) + struct.pack(order + "I", 0)


def encoded(kind: str, exif: bytes = b"", xmp: bytes = b"") -> bytes:
    out = io.BytesIO()
    options: dict[str, object] = {"quality": 95} if kind != "PNG" else {}
    if kind == "JPEG":
        options["subsampling"] = "4:4:4"
    if kind == "WEBP":
        options["lossless"] = True
    if exif:
        options["exif"] = b"Exif\0\0" + exif if kind == "JPEG" else exif
    if xmp and kind == "PNG":
        from PIL.PngImagePlugin import PngInfo

        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", xmp.decode())
    elif xmp:
        options["xmp"] = xmp
    quarters().save(out, kind, **options)
    return out.getvalue()


def xmp_of(value: int, form: str) -> bytes:
    body = {"attribute": f'<rdf:Description tiff:Orientation="{value}"/>', "element": f"<rdf:Description><tiff:Orientation>{value}</tiff:Orientation></rdf:Description>"}[form]
    return f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:tiff="http://ns.adobe.com/tiff/1.0/">{body}</rdf:RDF></x:xmpmeta>'.encode()


def shown(content: bytes) -> np.ndarray:
    return np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB")).astype(int)


def by_file(content: bytes, folder: Path) -> np.ndarray:
    (folder / "in.jpg").write_bytes(content)
    return read(folder / "in.jpg", folder / "out.png")


def by_standard_input(content: bytes, folder: Path) -> np.ndarray:
    return read("-", folder / "out.mp4", input=content)


def by_pipe(content: bytes, folder: Path) -> np.ndarray:
    os.mkfifo(folder / "pipe")
    threading.Thread(target=(folder / "pipe").write_bytes, args=(content,), daemon=True).start()
    return read(folder / "pipe", folder / "out.mp4")


ROUTES = {"file": by_file, "standard input": by_standard_input, "pipe": by_pipe}
routes = pytest.mark.parametrize("route", ROUTES)


def assert_same(found: np.ndarray, right: np.ndarray) -> None:
    assert found.shape == right.shape
    rows, columns = [n // 4 for n in right.shape[:2]]
    for y in (rows, 3 * rows):
        for x in (columns, 3 * columns):
            assert np.abs(found[y, x] - right[y, x]).max() <= 8, (y, x, found[y, x], right[y, x])


# Orientation


@routes
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("value", range(1, 9))
def test_an_image_is_turned_as_pillow_turns_it(value: int, kind: str, route: str, tmp_path: Path) -> None:
    content = encoded(kind, tiff_block(value))
    assert_same(ROUTES[route](content, tmp_path), shown(content))


@routes
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("form", ["SHORT", "LONG", "BYTE"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_the_number_of_an_orientation_may_be_of_any_type_and_order(order: str, form: str, kind: str, route: str, tmp_path: Path) -> None:
    content = encoded(kind, tiff_block(6, order, form, before=2))
    right = np.asarray(quarters().transpose(Image.Transpose.ROTATE_270)).astype(int)
    assert_same(ROUTES[route](content, tmp_path), right)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("form", ["attribute", "element"])
@pytest.mark.parametrize("value", [3, 6, 8])
def test_xmp_says_it_too(value: int, form: str, kind: str, tmp_path: Path) -> None:
    content = encoded(kind, xmp=xmp_of(value, form))
    assert_same(by_file(content, tmp_path), shown(content))


def test_exif_wins_over_xmp(tmp_path: Path) -> None:
    content = encoded("JPEG", tiff_block(3), xmp_of(6, "attribute"))
    assert_same(by_file(content, tmp_path), shown(content))


DAMAGED = {
    "value 0": tiff_block(0),
    "value 9": tiff_block(9),
    "value 1000": tiff_block(1000),
    "cut in the entry": tiff_block(6)[:14],
    "cut in the head": tiff_block(6)[:6],
    "directory beyond the end": b"II*\0" + struct.pack("<I", 5000) + b"\1\0",
    "count beyond the end": tiff_block(1)[:8] + b"\xff\xff" + tiff_block(1)[10:],
    "other mark": b"XX*\0" + tiff_block(6)[4:],
    "a fraction": tiff_block(6)[:12] + struct.pack("<H", 5) + tiff_block(6)[14:],
    "empty": b"\0",
}


@pytest.mark.parametrize("route", ["file", "standard input"])
@pytest.mark.parametrize("damage", DAMAGED)
def test_damaged_notes_leave_the_image_upright(damage: str, route: str, tmp_path: Path) -> None:
    content = encoded("JPEG", DAMAGED[damage])
    assert_same(ROUTES[route](content, tmp_path), np.asarray(quarters()).astype(int))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_damaged_pixels_are_refused_by_every_route(kind: str, tmp_path: Path) -> None:
    content = encoded(kind)
    content = content[: len(content) * 2 // 3]
    (tmp_path / "in.jpg").write_bytes(content)
    for words, options in [([tmp_path / "in.jpg"], {}), (["-"], {"input": content})]:
        done = run_frames("face-det-lite", *words, "--json", **options)
        assert done.returncode == 1, (words, done.stdout)
        assert b"Traceback" not in done.stderr


# TIFF and AVIF

FORMS = {
    "rgb": ("RGB", {}),
    "grey": ("L", {}),
    "black and white": ("1", {}),
    "palette": ("P", {}),
    "cmyk": ("CMYK", {}),
    "alpha": ("RGBA", {}),
    "lzw": ("RGB", {"compression": "tiff_lzw"}),
    "deflate": ("RGB", {"compression": "tiff_adobe_deflate"}),
    "packbits": ("RGB", {"compression": "packbits"}),
    "group 4": ("1", {"compression": "group4"}),
}


@pytest.mark.parametrize("route", ["file", "standard input"])
@pytest.mark.parametrize("form", FORMS)
def test_tiff_is_read_as_pillow_reads_it(form: str, route: str, tmp_path: Path) -> None:
    mode, options = FORMS[form]
    out = io.BytesIO()
    quarters().convert(mode).save(out, "TIFF", **options)
    content = out.getvalue()
    right = np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)
    found = ROUTES[route](content, tmp_path)
    if route == "standard input":  # comes out as a video, which blurs dots of black and white
        assert found.shape == right.shape
        assert np.abs(found.mean((0, 1)) - right.mean((0, 1))).max() < 6
    else:
        np.testing.assert_allclose(found, right, atol=1 if form == "cmyk" else 0)


def test_tiff_that_holds_jpeg_is_refused_by_name(tmp_path: Path) -> None:
    quarters().save(tmp_path / "x.tif", compression="jpeg")
    done = run_frames("face-det-lite", tmp_path / "x.tif")
    assert done.returncode == 1
    assert b"a TIFF that holds JPEG is not read: save it" in done.stderr


def test_tiff_of_16_bits_keeps_the_upper_ones(tmp_path: Path) -> None:
    values = np.linspace(0, 65535, 64 * 48).reshape(48, 64).astype(np.uint16)
    Image.fromarray(values).save(tmp_path / "x.tif")
    np.testing.assert_array_equal(read(tmp_path / "x.tif", tmp_path / "out.png")[..., 0], values >> 8)


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_tiff_of_either_byte_order_is_turned(order: str, tmp_path: Path) -> None:
    pixels = np.asarray(quarters((8, 6)))
    tags = [(256, 3, 8), (257, 3, 6), (258, 3, 8), (259, 3, 1), (262, 3, 2), (273, 4, 200), (274, 3, 6), (277, 3, 3), (278, 3, 6), (279, 4, pixels.size)]
    rows = b""
    for tag, kind, value in tags:
        count = 1
        four = struct.pack(order + "H", value) + b"\0\0" if kind == 3 else struct.pack(order + "I", value)
        if tag == 258:
            count, four = 3, struct.pack(order + "I", 190)
        rows += struct.pack(order + "HHI", tag, kind, count) + four
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8) + struct.pack(order + "H", len(tags)) + rows + bytes(4)
    content = head.ljust(190, b"\0") + struct.pack(order + "HHH", 8, 8, 8)
    (tmp_path / "x.tif").write_bytes(content.ljust(200, b"\0") + pixels.tobytes())
    np.testing.assert_array_equal(read(tmp_path / "x.tif", tmp_path / "out.png"), shown((tmp_path / "x.tif").read_bytes()))


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("kind", ["TIFF", "AVIF"])
def test_what_breaks_off_is_refused(kind: str, part: float, tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.effect_noise((64, 48), 50).convert("RGB").save(out, kind)
    (tmp_path / "x.tif").write_bytes(out.getvalue()[: int(len(out.getvalue()) * part)])
    done = run_frames("face-det-lite", tmp_path / "x.tif", "-o", tmp_path / "out.png")
    assert done.returncode == 1, done.stdout
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize("route", ["file", "standard input"])
@pytest.mark.parametrize("value", range(1, 9))
def test_avif_is_turned_as_pillow_turns_it(value: int, route: str, tmp_path: Path) -> None:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x112] = value
    quarters().save(out, "AVIF", quality=90, subsampling="4:4:4", exif=exif.tobytes())
    assert_same(ROUTES[route](out.getvalue(), tmp_path), shown(out.getvalue()))


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA"])
@pytest.mark.parametrize("span", ["full", "limited"])
def test_colours_of_avif_are_those_of_pillow(span: str, mode: str, tmp_path: Path) -> None:
    out = io.BytesIO()
    quarters((640, 480)).convert(mode).save(out, "AVIF", quality=95, range=span)
    (tmp_path / "x.avif").write_bytes(out.getvalue())
    assert_same(read(tmp_path / "x.avif", tmp_path / "out.png"), shown(out.getvalue()))


# Folders


def images_of(done: subprocess.CompletedProcess) -> list[str]:
    return [Path(row["image"]).name for row in lines_of(done) if "image" in row]


@frame_verbs
@pytest.mark.parametrize("names", [[f"{i}.png" for i in range(1, 13)], ["a1.png", "a2.png", "a10.png", "b1.png"], ["f_08.png", "f_9.png", "f_010.png"]], ids=lambda n: n[-1])
def test_sequences_are_read_as_people_count(names: list[str], verb: str, tmp_path: Path) -> None:
    for name in names:
        quarters().save(tmp_path / name)
    done = run_frames(verb, tmp_path, "--json")
    assert done.returncode == 0, done.stderr.decode()
    assert images_of(done) == names


def test_a_followed_sequence_is_read_as_people_count(tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    for i in range(1, 13):
        quarters((96, 80)).save(tmp_path / f"frames/{i}.png")
    done = slipway("samurai", "--model", SAMURAI, "--box", "20,20,30,30", tmp_path / "frames", "--json")
    assert done.returncode == 0, done.stderr.decode()
    assert [Path(row["source"]).stem for row in lines_of(done) if "source" in row] == [str(i) for i in range(1, 13)]


@frame_verbs
def test_a_folder_says_what_it_skipped_and_leaves_hidden_files_alone(verb: str, tmp_path: Path) -> None:
    quarters().save(tmp_path / "a.png")
    for quiet in ["._a.png", ".DS_Store", "Thumbs.db", "desktop.ini", ".hidden.jpg"]:
        (tmp_path / quiet).write_bytes(b"\0\5\x16\7")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "sub").mkdir()
    quarters().save(tmp_path / "sub/b.tif")
    done = run_frames(verb, tmp_path, "--json")
    assert done.returncode == 0, done.stderr.decode()
    assert images_of(done) == ["a.png"]
    said = done.stderr.decode()
    assert f"{tmp_path}: left out: notes.txt (no picture or video by its name); sub (below it: --recursive takes what folders hold)" in said
    assert "DS_Store" not in said and "._a" not in said and "Thumbs" not in said and "MACOSX" not in said


@frame_verbs
def test_recursive_takes_what_lies_below(verb: str, tmp_path: Path) -> None:
    for name in ["10/x.png", "9/y.tif", "9/deep/er/z.avif", "a.jpg"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        quarters().save(tmp_path / name)
    (tmp_path / "loop").symlink_to(tmp_path)
    done = run_frames(verb, tmp_path, "--recursive", "--json")
    assert done.returncode == 0, done.stderr.decode()
    assert images_of(done) == ["z.avif", "y.tif", "x.png", "a.jpg"]
    assert "loop (a link to a folder)" in done.stderr.decode()


def test_a_folder_without_images_says_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    done = run_frames("face-det-lite", tmp_path)
    assert done.returncode != 0
    assert "it holds notes.txt (no picture or video by its name)" in done.stderr.decode()
