#!/usr/bin/env python3
"""One real run, end to end: the official client, our hub, ONNX Runtime on the CPU and through the NPU compiler.

`make demo` runs it. Everything printed about a job comes from what the hub returned through the official client; what ran
on the HTP emulator says so and has no times.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import shutil
import signal
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
from PIL import Image, ImageDraw, ImageFont  # noqa: E402

from python.exporters import mediapipe_face as exporter  # noqa: E402
from python.reference.mediapipe_face import detector, landmark  # noqa: E402
from python.reference.mediapipe_face.constants import LANDMARK, SHORT_RANGE  # noqa: E402
from python.tools.local_hub import HubDidNotStart, LocalHub, missing_executables, port_is_free  # noqa: E402

SNAPDRAGON = "Samsung Galaxy S24 (Family)"
EMULATED = "HTP emulator"
NOT_MEASURED = "not measured"
PROGRAMS = ("slipway-hub", "slipway-worker")


class DemoFailed(RuntimeError):
    pass


class Steps:
    """Numbered lines with the time each took, as this script saw it."""

    def __init__(self):
        self.number = 0

    def begin(self, text: str) -> None:
        self.number += 1
        self.begun = time.perf_counter()
        print(f"\n\033[1m{self.number}. {text}\033[0m" if sys.stdout.isatty() else f"\n{self.number}. {text}", flush=True)

    def say(self, text: str) -> None:
        print(f"   {text}", flush=True)

    def end(self) -> None:
        self.say(f"({time.perf_counter() - self.begun:.1f} s)")


# -- the pieces of the run -------------------------------------------------------------------------------------------

def export_models(steps: Steps, assets: Path, folder: Path) -> Path:
    steps.begin("Export MediaPipe's face detector and landmarks from .tflite to ONNX, compared with LiteRT")
    checkpoints = [assets / "face_detection_short_range.tflite", assets / "face_landmark.tflite"]
    arguments = ["--checkpoint", *map(str, checkpoints), "--output", str(folder), "--check", "--pictures",
                 str(assets / "astronaut.png"), "--form", "portable"]
    if exporter.main(arguments) != 0:
        raise DemoFailed("the exported networks differ from LiteRT")
    steps.end()
    return folder


def first_lines(text: str, count: int = 40) -> str:
    lines = text.splitlines()
    return "\n".join(lines if len(lines) <= count else ["…", *lines[-count:]])


def compute_units(profile: dict) -> str:
    units = Counter(layer["compute_unit"] for layer in profile["execution_detail"])
    return ", ".join(f"{unit} {count}" for unit, count in sorted(units.items())) or "none reported"


def milliseconds(microseconds: int | None) -> str:
    return f"{microseconds / 1000:.2f} ms" if microseconds else NOT_MEASURED


def megabytes(size: int | None) -> str:
    return f"{size / 1e6:.1f} MB" if size else NOT_MEASURED


def outputs_in_order(job) -> list[np.ndarray]:
    """The samples of each output, stacked: [samples, ...], in the model's order."""
    data = job.download_output_data()
    if not data:
        raise DemoFailed(f"job {job.job_id} returned no outputs")
    return [np.stack([np.asarray(sample) for sample in samples]) for samples in data.values()]


def compare(reference: list[np.ndarray], other: list[np.ndarray]) -> str:
    """The largest difference and its share of that output's largest value; the worst output counts."""
    worst, relative = 0.0, 0.0
    for expected, found in zip(reference, other, strict=True):
        if expected.shape != found.shape:
            raise DemoFailed(f"an output has shape {found.shape} on the emulator and {expected.shape} on the CPU")
        difference = float(np.abs(expected.astype(np.float64) - found).max())
        worst, relative = max(worst, difference), max(relative, difference / float(np.abs(expected).max()))
    return f"max {worst:.1e}, {relative:.1e} of peak"


def draw(pixels: np.ndarray, faces: list, meshes: list, caption: str, path: Path) -> None:
    """Boxes, key points and the 468 points of each face, with the caption below."""
    scale = max(1, round(1024 / pixels.shape[1]))
    image = Image.fromarray(pixels).resize((pixels.shape[1] * scale, pixels.shape[0] * scale), Image.Resampling.LANCZOS)
    canvas = Image.new("RGB", (image.width, image.height + 44), "black")
    canvas.paste(image)
    pen = ImageDraw.Draw(canvas)
    for mesh in meshes:
        for x, y, _ in mesh.points * scale:
            pen.ellipse([x - 1.5, y - 1.5, x + 1.5, y + 1.5], fill=(90, 220, 255))
    for face in faces:
        pen.rectangle([float(side) * scale for side in face.box], outline=(255, 200, 40), width=3)
        for x, y in face.keypoints * scale:
            pen.ellipse([x - 4, y - 4, x + 4, y + 4], outline=(255, 70, 70), width=2)
        pen.text((face.box[0] * scale + 4, face.box[1] * scale - 26), f"{face.score:.3f}", fill=(255, 200, 40),
                 font=ImageFont.load_default(size=22))
    pen.text((10, image.height + 11), caption, fill="white", font=ImageFont.load_default(size=20))
    canvas.save(path)


def print_table(rows: list[list[str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for index, row in enumerate(rows):
        print("   " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
        if index == 0:
            print("   " + "  ".join("-" * width for width in widths))


# -- the run ---------------------------------------------------------------------------------------------------------

class Demo:
    def __init__(self, steps: Steps, hub: LocalHub, output: Path, models: Path, pixels: np.ndarray):
        # The client reads its configuration when it is first used.
        os.environ["QAIHUB_CLIENT_INI"] = str(hub.ini)
        import qai_hub

        from python.tools import jobs

        self.client, self.jobs = qai_hub, jobs
        qai_hub.set_verbose(False)
        self.steps, self.output, self.models, self.pixels = steps, output, models, pixels
        self.links: list[tuple[str, str]] = []
        self.rows = [["step", "ran on", "time", "peak memory", "layers per unit", "agreement with the CPU"]]

    def note(self, what: str, job) -> None:
        self.links.append((what, job.url))

    def succeed(self, what: str, job):
        self.note(what, job)
        return self.jobs.succeed(job)

    def pick_devices(self) -> None:
        self.steps.begin("Devices")
        devices = self.client.get_devices()
        self.cpu = devices[0]
        self.npu = self.client.Device(SNAPDRAGON)
        self.steps.say(f"{len(devices)} devices; the first is this machine: {self.cpu.name}")
        if SNAPDRAGON not in [device.name for device in devices]:
            raise DemoFailed(f"the catalogue has no {SNAPDRAGON}")
        self.steps.say(f"the Snapdragon is {SNAPDRAGON}: known by its chip, not attached; its runs use Qualcomm's {EMULATED}")
        self.steps.end()

    def upload_models(self) -> None:
        self.steps.begin("Upload the two networks")
        self.sources = {}
        for name in ("detector", "landmark"):
            self.sources[name] = self.client.upload_model(str(self.models / f"{name}.onnx"), name=f"mediapipe_face_{name}")
            self.steps.say(f"{name}: model {self.sources[name].model_id}")
        self.steps.end()

    def compile_models(self) -> None:
        """Profile jobs could be sent at once as well: a target model exists from submission."""
        self.steps.begin("Compile: for this CPU, and for the Snapdragon's NPU with Qualcomm's compiler")
        wanted = {("cpu", "onnx"): self.cpu, ("npu", "precompiled_qnn_onnx"): self.npu, ("npu", "qnn_context_binary"): self.npu}
        submitted = {
            (name, *where): self.client.submit_compile_job(model, device, name=f"{name} for {where[1]}",
                                                           options=f"--target_runtime {where[1]}")
            for name, model in self.sources.items() for where, device in wanted.items()}
        self.targets = {}
        for (name, unit, runtime), job in submitted.items():
            self.succeed(f"compile {name} to {runtime}", job)
            self.targets[name, unit, runtime] = job.get_target_model()
            suffix = {"onnx": "onnx", "precompiled_qnn_onnx": "onnx", "qnn_context_binary": "bin"}[runtime]
            with contextlib.redirect_stdout(io.StringIO()):  # the client says where it downloads to; so do we
                file = Path(job.download_target_model(str(self.output / f"{name}_{runtime}.{suffix}")))
            self.steps.say(f"{name} to {runtime}: {file.name}, {file.stat().st_size / 1e6:.2f} MB")
            for line in self.jobs.read_log(job).splitlines():
                words = line.partition("Z ")[2]  # behind the stamp
                if any(sign in words for sign in ("nodes on the", "largest difference", "equal in every", "estimate")):
                    self.steps.say(f"    {words.strip()}")
        self.steps.end()

    def profile_models(self) -> None:
        self.steps.begin("Profile: measured on this CPU; on the Snapdragon only what can be known without it")
        refused = self.targets["detector", "npu", "precompiled_qnn_onnx"]
        job = self.client.submit_inference_job(refused, self.npu, name="profile without the device")
        self.note("profile without the device (fails, and says why)", job)
        status = self.jobs.wait_for(job)
        if status.success:
            raise DemoFailed("a profile job for a device that nobody offers must not succeed by itself")
        self.steps.say(f"on {SNAPDRAGON} as it is: {status.message}")
        for name in self.sources:
            on_cpu = self.client.submit_inference_job(self.targets[name, "cpu", "onnx"], self.cpu, name=f"profile {name}")
            emulated = self.client.submit_inference_job(self.targets[name, "npu", "precompiled_qnn_onnx"], self.npu,
                                                      name=f"placement of {name}", options="--allow_emulation")
            measured = self.succeed(f"profile {name} on the CPU", on_cpu).download_profile()
            self.add_profile(f"profile {name}", self.cpu.name, measured)
            placed = self.succeed(f"placement of {name} ({EMULATED})", emulated).download_profile()
            summary = placed["execution_summary"]
            times = [value for key, value in summary.items() if key.endswith(("_time", "_times", "_peak_memory"))]
            if any(np.any(value) for value in times):
                raise DemoFailed(f"an emulated profile carries times or memory: {summary}")
            self.add_profile(f"placement of {name}", f"{SNAPDRAGON}, {EMULATED}", placed)
            load = measured["execution_summary"]
            self.steps.say(f"{name} on {self.cpu.name}: {milliseconds(load['estimated_inference_time'])} an inference"
                           f" ({len(load['all_inference_times'])} runs), first load {milliseconds(load['first_load_time'])},"
                           f" {compute_units(measured)}")
            self.steps.say(f"{name} on {SNAPDRAGON} ({EMULATED}): {compute_units(placed)}; nothing is measured")
        self.steps.end()

    def add_profile(self, step: str, where: str, profile: dict, agreement: str = "") -> None:
        summary = profile["execution_summary"]
        self.rows.append([step, where, milliseconds(summary["estimated_inference_time"]),
                          megabytes(summary["estimated_inference_peak_memory"]), compute_units(profile), agreement])

    def infer(self, name: str, samples: list[np.ndarray]) -> dict[str, list[np.ndarray]]:
        """The same data through the CPU's model and both NPU targets; outputs by runtime."""
        dataset = self.client.upload_dataset({"image": samples}, name=f"inputs of {name}")
        submitted = {
            runtime: self.client.submit_inference_job(self.targets[name, unit, runtime], device, dataset,
                                                      name=f"{name} on {runtime}")
            for unit, runtime, device in (("cpu", "onnx", self.cpu), ("npu", "precompiled_qnn_onnx", self.npu),
                                          ("npu", "qnn_context_binary", self.npu))}
        return {runtime: outputs_in_order(self.succeed(
                    f"inference {name}, {runtime}" + ("" if runtime == "onnx" else f" ({EMULATED})"), job))
                for runtime, job in submitted.items()}

    def find_faces(self) -> None:
        self.steps.begin("Find the faces on the photograph, on both")
        tensor, box = detector.preprocess(self.pixels, SHORT_RANGE)
        outputs = self.infer("detector", [tensor])
        self.faces = {runtime: detector.postprocess(*(output[0] for output in found), box, SHORT_RANGE)
                      for runtime, found in outputs.items()}
        for runtime, faces in self.faces.items():
            where = self.cpu.name if runtime == "onnx" else f"{SNAPDRAGON}, {EMULATED}"
            if not faces:
                raise DemoFailed(f"no face was found with {runtime}")
            self.steps.say(f"{runtime} ({where}): {len(faces)} face{'s' * (len(faces) > 1)}, best {faces[0].score:.3f} at "
                           + ", ".join(f"{side:.0f}" for side in faces[0].box))
        for runtime in ("precompiled_qnn_onnx", "qnn_context_binary"):
            overlap = detector.box_iou(self.faces["onnx"][0].box, self.faces[runtime][0].box[None])[0]
            agreement = f"{compare(outputs['onnx'], outputs[runtime])}, box IoU {overlap:.4f}"
            self.rows.append([f"detector, {runtime}", f"{SNAPDRAGON}, {EMULATED}", NOT_MEASURED, NOT_MEASURED, "", agreement])
        self.steps.end()

    def find_landmarks(self) -> None:
        self.steps.begin("468 landmarks in each face's region, on both")
        regions = {runtime: landmark.face_region(self.faces[runtime][0], LANDMARK)
                   for runtime in ("onnx", "precompiled_qnn_onnx")}
        # Both regions go to every target: the same inputs for the comparison, and each chain its own for the image.
        samples = [landmark.preprocess(self.pixels, region, LANDMARK) for region in regions.values()]
        outputs = self.infer("landmark", samples)
        self.meshes = {}
        for index, (runtime, region) in enumerate(regions.items()):
            points, flag = outputs[runtime]
            self.meshes[runtime] = landmark.postprocess(points[index], flag[index], region, LANDMARK)
            self.steps.say(f"{runtime}: face {self.meshes[runtime].score:.4f}")
        for runtime in ("precompiled_qnn_onnx", "qnn_context_binary"):
            self.rows.append([f"landmark, {runtime}", f"{SNAPDRAGON}, {EMULATED}", NOT_MEASURED, NOT_MEASURED, "",
                              compare(outputs["onnx"], outputs[runtime])])
        apart = np.linalg.norm(self.meshes["onnx"].points[:, :2] - self.meshes["precompiled_qnn_onnx"].points[:, :2], axis=1)
        self.steps.say(f"the two chains put the points {apart.mean():.3f} pixels apart on average, {apart.max():.3f} at most")
        self.steps.end()

    def draw_images(self) -> None:
        self.steps.begin("Pictures")
        captions = {"onnx": ("astronaut_cpu.png", f"{self.cpu.name}, ONNX Runtime"),
                    "precompiled_qnn_onnx": ("astronaut_npu_emulator.png",
                                             f"compiled for {SNAPDRAGON}, run on Qualcomm's {EMULATED}, not on a device")}
        for runtime, (name, caption) in captions.items():
            path = self.output / name
            draw(self.pixels, self.faces[runtime], [self.meshes[runtime]], caption, path)
            self.steps.say(str(path))

    def report(self) -> None:
        print("\nResults (times and memory as the hub measured them; an emulator is never timed)\n")
        print_table(self.rows)
        print("\nJobs\n")
        width = max(len(what) for what, _ in self.links)
        for what, url in self.links:
            print(f"   {what.ljust(width)}  {url}")


def hub_left_running(note: Path) -> str | None:
    """The process of a hub that an earlier demo still runs on the same data, by the note that it left."""
    pid = note.read_text().strip() if note.exists() else ""
    command = Path("/proc", pid, "cmdline")
    return pid if pid and command.exists() and b"serve" in command.read_bytes() else None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build/release", help="folder of the executables")
    parser.add_argument("--output", type=Path, default=ROOT / "demo-output", help="pictures, models, the hub's data")
    parser.add_argument("--assets", type=Path, default=ROOT / ".deps/assets", help="folder of the .tflite files and picture")
    parser.add_argument("--keep", action="store_true", help="leave the hub running until Ctrl-C")
    options = parser.parse_args()
    missing = missing_executables(options.build, PROGRAMS)
    if missing:
        print(f"{options.build} lacks {', '.join(missing)}: run `make demo`", file=sys.stderr)
        return 1

    output, steps, begun = options.output.resolve(), Steps(), time.perf_counter()
    data, note = output / "hub", output / "hub.pid"
    if pid := hub_left_running(note):
        print(f"a hub that an earlier demo left running still uses {data}: end process {pid} first", file=sys.stderr)
        return 1
    hub = LocalHub(options.build, data, f"127.0.0.1:{8400 if port_is_free(8400) else 0}", needs_slipway=False)
    demo = None
    # `timeout`, a CI system or `kill` end the hub as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        output.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(data, ignore_errors=True)
        models = export_models(steps, options.assets, output / "mediapipe_face")
        pixels = np.asarray(Image.open(options.assets / "astronaut.png").convert("RGB"))

        steps.begin("Start a hub of our own")
        hub.start()
        note.write_text(str(hub.pid))
        steps.say(f"{hub.url}, ready after {hub.ready_seconds:.2f} s; configuration of the official client: {hub.ini}")

        demo = Demo(steps, hub, output, models, pixels)
        demo.pick_devices()
        demo.upload_models()
        demo.compile_models()
        demo.profile_models()
        demo.find_faces()
        demo.find_landmarks()
        demo.draw_images()
        demo.report()
        print(f"\nDone in {time.perf_counter() - begun:.1f} s.")
        if options.keep:
            print(f"\nThe hub is still running at {hub.url}. Sign in with the api_token that stands in {hub.ini}.\n"
                  "Ctrl-C ends it.", flush=True)
            while hub.is_running():
                time.sleep(1)
            raise DemoFailed(f"the hub ended by itself:\n{hub.tail()}")
        return 0
    except KeyboardInterrupt:
        print()
        return 0 if options.keep and demo is not None else 130
    except HubDidNotStart as error:
        print(f"\nfailed: {error}", file=sys.stderr)
        return 1
    except Exception as error:  # whatever went wrong, its words and the hub's log are what helps
        print(f"\nfailed: {type(error).__name__}: {first_lines(str(error))}\n\nthe hub's log, {hub.log}:\n{hub.tail()}",
              file=sys.stderr)
        return 1
    finally:
        hub.stop()
        note.unlink(missing_ok=True)
        if hub.url and not options.keep:
            print("The hub is stopped; `make demo KEEP=1` leaves it running so that the links open.")


if __name__ == "__main__":
    sys.exit(main())
