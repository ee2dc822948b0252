"""Writes the images that the tests of src/media read: `python python/reference/media_golden.py [FOLDER]`.

Pillow is the reference: it encodes each image and says which RGB pixels it decodes to (`expected.npz`). Sixteen-bit
samples, which Pillow clips, are expected as their upper byte.
"""

import io
import pathlib
import struct
import sys
import zlib

import numpy as np
from PIL import Image, ImageOps

WIDTH, HEIGHT = 37, 22  # odd, so that chroma and interlacing have remainders


def colourful(seed: int = 0) -> np.ndarray:
    """Smooth colours with an edge; no two corners alike."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    red = 255 * x / (WIDTH - 1)
    green = 255 * y / (HEIGHT - 1)
    blue = np.where(x + y > 25 + seed, 220, 40)
    return np.stack([red, green, blue], axis=2).round().astype(np.uint8)


def png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_of_samples(samples: np.ndarray, colour_type: int) -> bytes:
    """Sixteen-bit PNG by hand: Pillow writes none in colour."""
    header = struct.pack(">IIBBBBB", samples.shape[1], samples.shape[0], 16, colour_type, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    return (b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(rows))
            + png_chunk(b"IEND", b""))


def main() -> None:
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "tests/golden/media")
    folder.mkdir(parents=True, exist_ok=True)
    expected: dict[str, np.ndarray] = {}
    source = Image.fromarray(colourful())

    def save(name: str, image: Image.Image, **options) -> None:
        buffer = io.BytesIO()
        image.save(buffer, **options)
        (folder / name).write_bytes(buffer.getvalue())
        shown = Image.open(io.BytesIO(buffer.getvalue()))
        expected[name] = np.asarray(ImageOps.exif_transpose(shown).convert("RGB"))

    grey, alpha = source.convert("L"), source.copy()
    alpha.putalpha(grey)
    palette = source.quantize(23)
    save("rgb.png", source, format="PNG")
    save("grey.png", grey, format="PNG")
    save("grey_alpha.png", alpha.convert("LA"), format="PNG")
    save("alpha.png", alpha, format="PNG")
    save("palette.png", palette, format="PNG")
    save("palette_transparent.png", palette, format="PNG", transparency=3)
    save("two_colours.png", source.convert("1"), format="PNG")
    save("four_colours.png", source.quantize(4), format="PNG", bits=2)
    save("animated.png", source, format="PNG", save_all=True, append_images=[Image.fromarray(colourful(9))], duration=40)

    rng = np.random.default_rng(4)
    deep = rng.integers(0, 65536, (HEIGHT, WIDTH, 3))
    (folder / "deep_rgb.png").write_bytes(png_of_samples(deep, 2))
    (folder / "deep_grey.png").write_bytes(png_of_samples(deep[:, :, 0], 0))
    expected["deep_rgb.png"] = (deep >> 8).astype(np.uint8)
    expected["deep_grey.png"] = np.repeat((deep[:, :, :1] >> 8).astype(np.uint8), 3, axis=2)

    save("rgb.jpg", source, format="JPEG", quality=80)
    save("full_chroma.jpg", source, format="JPEG", quality=90, subsampling=0)
    save("half_chroma.jpg", source, format="JPEG", quality=90, subsampling=1)
    save("progressive.jpg", source, format="JPEG", quality=80, progressive=True)
    save("grey.jpg", grey, format="JPEG", quality=85)
    save("cmyk.jpg", source.convert("CMYK"), format="JPEG", quality=90)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        save(f"turned_{orientation}.jpg", source, format="JPEG", quality=85, exif=exif)
    exif = Image.Exif()
    exif[0x0112] = 6
    save("turned.png", source, format="PNG", exif=exif)
    save("turned.webp", source, format="WEBP", lossless=True, exif=exif)

    save("lossy.webp", source, format="WEBP", quality=70)
    save("alpha.webp", alpha, format="WEBP", lossless=True, exact=True)
    save("animated.webp", source, format="WEBP", lossless=True, save_all=True,
         append_images=[Image.fromarray(colourful(9))], duration=40)
    save("rgb.bmp", source, format="BMP")
    save("palette.bmp", palette, format="BMP")
    save("rgb.gif", palette, format="GIF")
    save("animated.gif", palette, format="GIF", save_all=True, append_images=[Image.fromarray(colourful(9)).quantize(23)],
         duration=40)
    save("one_pixel.png", Image.fromarray(colourful()[:1, :1]), format="PNG")

    np.savez_compressed(folder / "expected.npz", **expected)
    total = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{folder}: {len(expected)} pictures, {total} bytes")


if __name__ == "__main__":
    main()
