"""SAMURAI's own package beside ours, on real frames with weights drawn in its own layout: what every frame chose, saw and gave.

    make acceptance SUITE=samurai

The package (PyPI `absolutely-not-samurai`, which equals the repository yangchris11/samurai) draws weights such that masks are
blobs, candidates vie with each other and the object is there, doubted or lost, saves them as its publisher saves checkpoints,
and follows an object. Ours exports that very file and follows the same object over the same files. On every frame, of a folder
of JPEGs or of a video, the choice among candidates, the memories and pointers that memory attention saw, the filter's count and whether
motion was asked must be the same, the masks' IoU 0.999 or more, and boxes at most a pixel apart. A video comes through two
different readers (decord and ours). With these weights the object is lost on the prompt's own frame of a box.
"""

import contextlib
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(HERE.parent))

from compare import differences  # noqa: E402
from suite import Suite, run  # noqa: E402

BOX = (400, 150, 800, 600)
POINTS = ("560,330,1", "900,120,0")
# Side of the network's square, frames, and what is shown: --box, --point, --mask; `video` reads the .mp4 itself.
ROWS = {
    "box": (256, 28, {"box": BOX}),
    "point": (256, 28, {"points": POINTS[:1]}),
    "two_points": (256, 12, {"points": POINTS}),
    "box_and_points": (256, 20, {"box": BOX, "points": POINTS}),
    "box_over_the_edge": (256, 12, {"box": (900, 400, 1340, 800)}),
    "mask": (256, 28, {"mask": True}),
    "short": (256, 7, {"box": BOX}),
    "video": (256, 28, {"box": BOX, "video": True}),
}
SEED = 1
VIDEO = "sam2_01_dog.mp4"
STEP = 7  # every so many frames of the video is one of the folder


def make_frames(python: str, video: pathlib.Path, folder: pathlib.Path, count: int) -> None:
    if len(list(folder.glob("*.jpg"))) == count:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    code = ("import cv2, sys\nvideo = cv2.VideoCapture(sys.argv[1])\nfor number in range(int(sys.argv[3])):\n"
            " there, frame = video.read()\n cv2.imwrite(f'{sys.argv[2]}/{number}.jpg', frame, [cv2.IMWRITE_JPEG_QUALITY, 95])\n"
            f" [video.grab() for _ in range({STEP - 1})]\n")
    subprocess.run([python, "-c", code, str(video), str(folder), str(count)], check=True, timeout=300)


def make_mask(folder: pathlib.Path, file: pathlib.Path) -> None:
    import PIL.Image
    import PIL.ImageDraw
    with PIL.Image.open(folder / "0.jpg") as frame:
        mask = PIL.Image.new("L", frame.size)
    PIL.ImageDraw.Draw(mask).ellipse((421, 163, 777, 541), fill=255)
    mask.save(file)


class Samurai(Suite):
    name = "samurai"
    description = __doc__.splitlines()[0]
    heading = f"{'frames':>7}{'same':>6}{'least IoU':>11}{'box':>6}{'score':>10}{'filter':>10}"

    def rows(self) -> list[str]:
        return list(ROWS)

    def add_arguments(self, parser) -> None:
        parser.add_argument("--torch", default=".deps/venv-torch/bin/python", help="a Python with PyTorch")
        parser.add_argument("--original", type=pathlib.Path, default=pathlib.Path(".deps/original-samurai"),
                            help="folder with the package and what it needs (tools/setup.sh samurai)")
        parser.add_argument("--threads", default="1", help="of PyTorch and ours")
        parser.add_argument("--data", type=pathlib.Path,
                            default=pathlib.Path(os.environ.get("SLIPWAY_TEST_DATA", ROOT.parent / "shared" / "data")))

    def opened(self, arguments):
        return contextlib.nullcontext(lambda name: Row(name, arguments).measured())

    def line(self, row: dict) -> str:
        if "frames" not in row:
            return row.get("reason", "")
        return (f"{row['frames']:7}{row['same']:6}{row['iou']:11.4f}{row['box']:6.0f}{row['score']:10.1e}{row['mean']:10.1e}"
                + (f"  {row['reason']}" if row.get("reason") else ""))

    def closing(self, arguments, rows: list[dict]) -> list[str]:
        return ["same: frames whose choice, memories, pointers and filter are the original's; box: largest distance of a side in pixels;",
                "score: of the object score; filter: of the filter's mean, in pixels of the network's square"]


class Row:
    def __init__(self, name: str, arguments):
        self.side, self.count, self.shown = ROWS[name]
        self.name, self.options = name, arguments
        self.cache = arguments.cache
        self.environment = os.environ | {"OMP_NUM_THREADS": arguments.threads}

    def _original(self, *words: str) -> None:
        environment = self.environment | {"PYTHONPATH": str(self.options.original.resolve())}
        done = subprocess.run([self.options.torch, "-W", "ignore", str(HERE / "original.py"), *words, "--image-size", str(self.side)],
                              env=environment, capture_output=True, text=True, timeout=3600)
        if done.returncode != 0:
            raise RuntimeError("the original: " + " ".join(done.stderr.split())[-300:])

    def measured(self) -> dict:
        if not (video := self.options.data / "video" / VIDEO).exists():
            return {"status": "not possible", "reason": f"{video} is not here: set SLIPWAY_TEST_DATA"}
        frames = self.cache / f"frames-{self.count}"
        make_frames(self.options.torch, video, frames, self.count)
        mask = self.cache / "mask.png"
        make_mask(frames, mask)
        weights, model = self.cache / f"weights-{self.side}.pt", self.cache / f"model-{self.side}"
        box = ",".join(str(v) for v in self.shown.get("box", BOX))
        if not weights.exists():
            calibration = self.cache / "frames-28"
            make_frames(self.options.torch, video, calibration, 28)
            self._original("draw", "--seed", str(SEED), "--input", str(calibration), "--box", ",".join(map(str, BOX)), "--output", str(weights))
        if not (model / "model.yaml").exists():
            subprocess.run([self.options.torch, "-m", "python.exporters.samurai", "--checkpoint", str(weights), "--image-size", str(self.side),
                            "--threads", self.options.threads, "--output", str(model)], env=self.environment | {"PYTHONPATH": str(ROOT)},
                           cwd=ROOT, check=True, stdout=subprocess.DEVNULL, timeout=3600)
        source = str(video if self.shown.get("video") else frames)
        theirs, ours = [], []
        if "box" in self.shown:
            x0, y0, x1, y1 = self.shown["box"]
            theirs += ["--box", box]
            ours += ["--box", f"{x0},{y0},{x1 - x0},{y1 - y0}"]
        for point in self.shown.get("points", ()):
            theirs += ["--point", point]
            ours += ["--point", point]
        if self.shown.get("mask"):
            theirs += ["--mask", str(mask)]
            ours += ["--mask", str(mask)]
        original, trace, masks = (self.cache / f"{self.name}{ending}" for ending in (".npz", ".json", "-masks"))
        if not original.exists():
            self._original("follow", "--weights", str(weights), "--input", source, *theirs, "--frames", str(self.count), "--output", str(original))
        shutil.rmtree(masks, ignore_errors=True)
        subprocess.run([str(self.options.build / "slipway"), "samurai", source, "--model", str(model), *ours, "--frames", str(self.count),
                        "--threads", self.options.threads, "--trace", str(trace), "--masks", str(masks), "--overwrite"],
                       check=True, stdout=subprocess.DEVNULL, timeout=3600)
        rows = differences(original, trace, masks, of_mask=bool(self.shown.get("mask")))
        same = [row for row in rows if not row["different"]]
        row = {"frames": len(rows), "same": len(same)} | {key: max(each[key] for each in rows) for key in ("box", "score", "mean")}
        row["iou"] = min(each["iou"] for each in rows)
        passed = len(same) == len(rows) and row["iou"] >= 0.999 and row["box"] <= 1
        first = next((each for each in rows if each["different"]), None)
        return row | {"status": "passed" if passed else "wrong"} | ({"reason": f"frame {first['frame']}: {'; '.join(first['different'])}"} if first else {})


if __name__ == "__main__":
    sys.exit(run(Samurai()))
