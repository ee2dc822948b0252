"""J&F of `slipway samurai` on a folder laid out as DAVIS 2017.

    python -m python.tools.track_davis --data DAVIS --model DIR --results OUT [--split val | --sequences a,b] [--score-only]

Reads JPEGImages/480p/SEQUENCE/*.jpg and Annotations/480p/SEQUENCE/*.png (a palette's index is the object; 0 is the ground), and
ImageSets/2017/SPLIT.txt. Objects are shown by their masks on the first frame. Writes OUT/SEQUENCE/*.png in the same form, which
other evaluators of DAVIS read as well; where two objects claim a pixel, the lower number has it. As in the semi-supervised
track the first and the last frame do not count; the mean is over objects.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image

from python.tools.track_arguments import parse
from python.tools.track_measures import contour_measure, region_overlap


def indices(path: pathlib.Path) -> np.ndarray:
    return np.array(Image.open(path))


def sequences(options) -> list[str]:
    if options.sequences:
        return options.sequences.split(",")
    listed = options.data / "ImageSets" / options.year / f"{options.split}.txt"
    if not listed.is_file():
        raise SystemExit(f"{listed}: no such list; name --sequences, or another --split or --year")
    return listed.read_text().split()


def track(options, images: pathlib.Path, first: np.ndarray, results: pathlib.Path) -> None:
    objects = [int(index) for index in np.unique(first) if index not in (0, 255)]
    if not objects:
        raise SystemExit(f"{images}: the first annotation shows no object")
    names = sorted(path.stem for path in images.iterdir())
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        command = [str(options.slipway), "samurai", str(images), "--model", str(options.model), "--masks", str(work / "masks")]
        for index in objects:
            Image.fromarray((first == index).astype(np.uint8) * 255).save(work / f"{index}.png")
            command += ["--mask", str(work / f"{index}.png")]
        subprocess.run(command + options.options, check=True, stdout=subprocess.DEVNULL)
        results.mkdir(parents=True, exist_ok=True)
        for number, name in enumerate(names):
            merged = np.zeros(first.shape, np.uint8)
            for place, index in reversed(list(enumerate(objects))):
                found = work / "masks" / ("" if len(objects) == 1 else f"object_{place + 1}") / f"{number:05}.png"
                merged[np.array(Image.open(found).convert("L")) > 127] = index
            Image.fromarray(merged).save(results / f"{name}.png")


def score(annotations: pathlib.Path, results: pathlib.Path) -> dict[int, tuple[float, float]]:
    """J and F of each object of the first frame."""
    truths = sorted(annotations.glob("*.png"))[1:-1]
    if not truths:
        raise SystemExit(f"{annotations}: expected three annotated frames or more; the first and the last do not count")
    first = indices(sorted(annotations.glob("*.png"))[0])
    measured = {int(index): [] for index in np.unique(first) if index not in (0, 255)}
    for path in truths:
        truth, ours = indices(path), indices(results / path.name)
        if truth.shape != ours.shape:
            raise SystemExit(f"{results / path.name}: {ours.shape[1]}x{ours.shape[0]}, the annotation is {truth.shape[1]}x{truth.shape[0]}")
        for index, rows in measured.items():
            rows.append((region_overlap(ours == index, truth == index), contour_measure(ours == index, truth == index)))
    return {index: tuple(float(value) for value in np.mean(rows, axis=0)) for index, rows in measured.items()}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--split", default="val")
    parser.add_argument("--year", default="2017")
    parser.add_argument("--resolution", default="480p")
    parser.add_argument("--sequences", help="comma-separated, in place of a split")
    options = parse(parser, arguments)
    every = []
    for sequence in sequences(options):
        annotations = options.data / "Annotations" / options.resolution / sequence
        if not options.score_only:
            first = indices(sorted(annotations.glob("*.png"))[0])
            track(options, options.data / "JPEGImages" / options.resolution / sequence, first, options.results / sequence)
        for index, (j, f) in score(annotations, options.results / sequence).items():
            every.append((j, f))
            print(json.dumps({"sequence": sequence, "object": index, "J": j, "F": f, "J&F": (j + f) / 2}), flush=True)
    j, f = np.mean(every, axis=0)
    print(json.dumps({"objects": len(every), "J": float(j), "F": float(f), "J&F": float((j + f) / 2)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
