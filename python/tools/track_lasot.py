"""Success (AUC) and precision of `slipway samurai` on a folder laid out as LaSOT.

    python -m python.tools.track_lasot --data LaSOT --model DIR --results OUT [--list testing_set.txt] [--score-only]

Reads CATEGORY/CATEGORY-N/img/*.jpg and groundtruth.txt (x,y,w,h a line) beside it; the object is shown by its first box. Writes
OUT/CATEGORY-N.txt in the form of groundtruth.txt, 0,0,0,0 where the object was not found. Frames that full_occlusion.txt or
out_of_view.txt mark do not count; the mean is over sequences. The ground truth is taken as it stands, pixels counted from 0.
"""

import argparse
import json
import pathlib
import subprocess
import sys

import numpy as np

from python.tools.track_arguments import parse
from python.tools.track_measures import box_overlaps, precision, success_auc


def boxes(path: pathlib.Path) -> np.ndarray:
    rows = [[float(value) for value in line.replace("\t", ",").split(",")] for line in path.read_text().split()]
    found = np.array(rows, float)
    if found.ndim != 2 or found.shape[1] != 4:
        raise SystemExit(f"{path}: expected lines of x,y,w,h")
    return found


def absent(folder: pathlib.Path, count: int) -> np.ndarray:
    marked = np.zeros(count, bool)
    for name in ("full_occlusion.txt", "out_of_view.txt"):
        if (folder / name).is_file():
            flags = [value == "1" for value in (folder / name).read_text().replace(",", " ").split()]
            if len(flags) != count:
                raise SystemExit(f"{folder / name}: {len(flags)} marks, but groundtruth.txt has {count} lines")
            marked |= np.array(flags)
    return marked


def folders(options) -> list[pathlib.Path]:
    if options.list:
        return [options.data / name.rsplit("-", 1)[0] / name for name in options.list.read_text().split()]
    found = sorted(path.parent for path in options.data.glob("*/*/groundtruth.txt"))
    if not found:
        raise SystemExit(f"{options.data}: no CATEGORY/SEQUENCE/groundtruth.txt below it")
    return found


def track(options, folder: pathlib.Path, first: np.ndarray, result: pathlib.Path) -> None:
    box = ",".join(f"{value:g}" for value in first)
    command = [str(options.slipway), "samurai", str(folder / "img"), "--model", str(options.model), "--box", box, "--json"]
    ran = subprocess.run(command + options.options, check=True, stdout=subprocess.PIPE, text=True)
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    found = [line["objects"][0]["bbox"] or [0, 0, 0, 0] for line in lines if line["schema"] == "samurai/1"]
    result.parent.mkdir(parents=True, exist_ok=True)
    result.write_text("".join(",".join(f"{value:g}" for value in row) + "\n" for row in found))


def score(folder: pathlib.Path, result: pathlib.Path) -> dict:
    truth, ours = boxes(folder / "groundtruth.txt"), boxes(result)
    if len(truth) != len(ours):
        raise SystemExit(f"{result}: {len(ours)} frames, but groundtruth.txt has {len(truth)}")
    there = ~absent(folder, len(truth))
    truth, ours = truth[there], ours[there]
    return {"frames": len(truth), "auc": success_auc(box_overlaps(ours, truth)), "precision": precision(ours, truth)}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", type=pathlib.Path, help="names of sequences; otherwise all")
    options = parse(parser, arguments)
    every = []
    for folder in folders(options):
        result = options.results / f"{folder.name}.txt"
        if not options.score_only:
            track(options, folder, boxes(folder / "groundtruth.txt")[0], result)
        every.append(score(folder, result))
        print(json.dumps({"sequence": folder.name, **every[-1]}), flush=True)
    print(json.dumps({"sequences": len(every), **{key: float(np.mean([row[key] for row in every])) for key in ("auc", "precision")}}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
