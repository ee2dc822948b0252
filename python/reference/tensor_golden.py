"""Writes the arrays that the tests of src/tensor read: `python python/reference/tensor_golden.py [FOLDER]`.

NumPy is the reference: every file here was made by numpy.savez, or is one of its files damaged on purpose.
"""

import pathlib
import sys

import numpy as np


def main() -> None:
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "tests/golden/tensor")
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(7)

    arrays = {
        name: (rng.integers(0, 100, (2, 3)) % (2 if name == "bool" else 100)).astype(name)
        for name in ("float16", "float32", "float64", "bool", "int8", "int16", "int32", "int64", "uint8", "uint16",
                     "uint32", "uint64")
    }
    arrays["scalar"] = np.float32(2.5)
    arrays["empty"] = np.zeros((0, 4), np.float32)
    arrays["größe/1"] = np.arange(5, dtype=np.int64)
    np.savez(folder / "stored.npz", **arrays)
    np.savez_compressed(folder / "deflated.npz", image=np.tile(np.arange(256, dtype=np.uint8), (64, 1)))

    np.savez(folder / "fortran.npz", f=np.asfortranarray(np.ones((2, 3), np.float32)))
    np.savez(folder / "object.npz", o=np.array([{"a": 1}], dtype=object))
    np.savez(folder / "big_endian.npz", b=np.arange(3, dtype=">f4"))
    np.savez(folder / "complex.npz", c=np.ones(2, np.complex64))

    # Halves: every interesting region, ties among them, against NumPy's own rounding.
    floats = np.concatenate([
        rng.standard_normal(600), rng.uniform(-7e4, 7e4, 600), rng.uniform(-1e-4, 1e-4, 600), rng.uniform(-1e-7, 1e-7, 200),
        [0.0, -0.0, np.inf, -np.inf, 65504.0, 65519.99, 65520.0, 2.0**-24, 2.0**-25, 3 * 2.0**-25, 2.0**-14, 1e38],
        1.0 + np.arange(64) * 2.0**-12,
    ]).astype(np.float32)
    with np.errstate(over="ignore"):
        halves = floats.astype(np.float16)
    np.savez_compressed(folder / "halves.npz", floats=floats, halves=halves, back=halves.astype(np.float32))

    # Agreement: figures from NumPy in double precision.
    reference = rng.standard_normal((3, 5, 7)).astype(np.float32)
    other = (reference + rng.standard_normal(reference.shape).astype(np.float32) * 1e-2).astype(np.float16)
    a, b = reference.astype(np.float64).ravel(), other.astype(np.float64).ravel()
    difference = np.abs(a - b)
    span = a.max() - a.min()
    figures = [difference.max(), difference.mean(), span, difference.max() / np.abs(a).max(),
               a @ b / (np.linalg.norm(a) * np.linalg.norm(b)), 10 * np.log10(span**2 / np.mean(difference**2)),
               difference.argmax()]
    np.savez(folder / "agreement.npz", reference=reference, other=other, figures=np.array(figures))


if __name__ == "__main__":
    main()
