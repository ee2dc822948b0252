"""The same loop over the exported graphs, in NumPy and ONNX Runtime: the contract of python/exporters/samurai/README.md, carried out.

    python -m python.reference.samurai.graph_tracker --model DIR --seed 1 --video FILE --box x,y,w,h --frames 30

compares it with PyTorch over a video (needs the environment of `tools/setup.sh torch`): exit status 1 beyond the goals.
"""

import argparse
import pathlib
import sys

import numpy as np
import onnxruntime

from python.reference.samurai.rules import Rules


def enlarged(plane: np.ndarray, factor: int = 4) -> np.ndarray:
    """[h, w] to [factor·h, factor·w]: bilinear, half-pixel centres, edges repeated."""
    for axis in (0, 1):
        size = plane.shape[axis]
        at = np.clip((np.arange(size * factor) + 0.5) / factor - 0.5, 0, size - 1)
        low = np.floor(at).astype(int)
        high = np.minimum(low + 1, size - 1)
        weight = (at - low).astype(np.float32)
        weight = weight[:, None] if axis == 0 else weight[None]
        plane = np.take(plane, low, axis) * (1 - weight) + np.take(plane, high, axis) * weight
    return plane


def rounded_to_bfloat16(values: np.ndarray) -> np.ndarray:
    """Ties to even; for finite values."""
    bits = values.view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) & np.uint32(0xFFFF0000)).view(np.float32)


def bounds(mask: np.ndarray) -> list[int]:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return [0, 0, 0, 0] if len(rows) == 0 else [int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])]


class GraphTracker:
    """track(image) with image [1, 3, S, S]; prompts in pixels of the S×S image."""

    def __init__(self, folder: pathlib.Path, threads: int = 0):
        import yaml  # not in the smallest environment
        document = yaml.safe_load((folder / "model.yaml").read_text())
        self.constants, self._folder, self._graphs = document["constants"], folder, document["graphs"]
        self._threads, self._sessions = threads, {}
        self.rules = Rules(self.constants["motion_weight"])
        self._memories, self._pointers = {}, {}
        self.trace, self.decisions = [], []

    def run(self, graph: str, **feed) -> dict:
        if graph not in self._sessions:
            settings = onnxruntime.SessionOptions()
            settings.intra_op_num_threads = self._threads
            self._sessions[graph] = onnxruntime.InferenceSession(str(self._folder / self._graphs[graph]["file"]), settings,
                                                                 providers=["CPUExecutionProvider"])
        session = self._sessions[graph]
        feed = {key: np.asarray(value, dtype=np.float32) for key, value in feed.items()}
        return dict(zip([each.name for each in session.get_outputs()], session.run(None, feed)))

    def track(self, image: np.ndarray, box=None, points=(), video_frames: int | None = None) -> np.ndarray:
        """@param points  [x, y, label] each"""
        c = self.constants
        size, t = c["image_size"], self.rules.frame
        seen = self.run("image_encoder", image=image)
        given = [] if box is None else [(box[:2], 2), (box[2:], 3)]
        given = given + [(each[:2], each[2]) for each in points] or [((0, 0), -1)]
        points, labels = np.zeros((1, c["prompt_points"], 2)), np.full((1, c["prompt_points"]), c["absent_label"])
        for row, (place, label) in enumerate([*given, ((0, 0), -1)]):
            points[0, row], labels[0, row] = place, label
        prompt = self.run("prompt_encoder", points=points, labels=labels, mask=np.zeros((1, 1, size // 4, size // 4)), has_mask=[0])
        embeddings = seen["image_embeddings"]
        if t > 0:
            memories, pointers = [self._memories[number] for _, number in self.rules.memory()], self.rules.pointers()
            rows = c["object_pointers"]
            unit = (rows - 1) / (min(video_frames or rows, rows) - 1)
            tokens, distances, validity = np.zeros((rows, c["hidden_channels"])), np.zeros(rows), np.zeros(rows)
            for row, (distance, number) in enumerate(pointers):
                tokens[row], distances[row], validity[row] = self._pointers[number], distance * unit, 1
            embeddings = self.run(f"memory_attention_{len(memories)}", image_embeddings=embeddings, memories=np.concatenate(memories),
                                  object_pointers=tokens, pointer_distances=distances, pointer_validity=validity)["conditioned_embeddings"]
        found = self.run("mask_decoder", embeddings=embeddings, no_memory=[float(t == 0)], high_res_features1=seen["high_res_features1"],
                         high_res_features2=seen["high_res_features2"], **prompt)
        several, ious = len(given) < 2, found["ious"][0]
        steady = found["stability"][0, 0] >= c["stability_threshold"]
        tokens = [1, 2, 3] if several else [0 if steady else 1 + int(ious[1:].argmax())]
        masks = found["masks"][0]
        entry = {"frame": t, "boxes": [bounds(enlarged(masks[token]) > 0) for token in tokens],
                 "ious": [float(ious[token]) for token in tokens], "object_score": float(found["object_score"][0, 0])}
        decision = self.rules.step(entry["boxes"], entry["ious"], entry["object_score"])
        token = tokens[decision["choice"]]
        self._memories[t] = self.run("memory_encoder", image_embeddings=seen["image_embeddings"], mask=masks[None, token:token + 1],
                                     object_score=found["object_score"], is_prompt=[float(t == 0)])["memory"]
        self._memories[t] = rounded_to_bfloat16(self._memories[t])
        self._pointers[t] = found["object_pointers"][0, token if several else 0]
        self.trace.append(entry)
        self.decisions.append({"frame": t, **decision})
        return masks[token]


def main() -> int:
    parser = argparse.ArgumentParser(description="exported graphs against PyTorch over a video")
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--size", default="tiny")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--seed", type=int)
    source.add_argument("--checkpoint", type=pathlib.Path)
    parser.add_argument("--video", type=pathlib.Path, required=True)
    parser.add_argument("--box", required=True, help="x,y,w,h in pixels of the first frame")
    parser.add_argument("--frames", type=int, default=30)
    options = parser.parse_args()
    import cv2

    from python.exporters.samurai import checkpoint
    from python.reference.samurai import tracker
    ours = GraphTracker(options.model)
    size = ours.constants["image_size"]
    model = (checkpoint.seeded(checkpoint.configuration(options.size, size), options.seed) if options.seed is not None
             else checkpoint.load(options.checkpoint, options.size, size))
    if checkpoint.content_hash(model)[:16] != ours.constants["model_id"]:
        parser.error(f"{options.model}: its weights are others than the reference's; give the --size, --seed or --checkpoint of the export")
    theirs = tracker.ReferenceTracker(model, ours.constants["motion_weight"])
    x, y, w, h = (float(value) for value in options.box.split(","))
    video = cv2.VideoCapture(str(options.video))
    worst_logit, worst_overlap, choices = 0.0, 1.0, 0
    for t in range(options.frames):
        there, frame = video.read()
        if not there:
            break
        height, width = frame.shape[:2]
        box = [x, y, x + w, y + h] if t == 0 else None
        scaled = [x * size / width, y * size / height, (x + w) * size / width, (y + h) * size / height] if t == 0 else None
        a = theirs.track(frame[..., ::-1], box).numpy()
        b = ours.track(tracker.to_input(frame[..., ::-1], size).numpy(), scaled)
        logit = float(np.abs(a - b).max() / max(1e-6, np.abs(a).max()))
        both, either = np.logical_and(a > 0, b > 0).sum(), np.logical_or(a > 0, b > 0).sum()
        overlap = 1.0 if either == 0 else both / either
        same = theirs.decisions[-1]["choice"] == ours.decisions[-1]["choice"]
        print(f"frame {t}: logits {logit:.1e}, mask IoU {overlap:.5f}, choice {'same' if same else 'DIFFERENT'}, "
              f"{len(theirs.decisions[-1]['memory'])} memories", flush=True)
        worst_logit, worst_overlap, choices = max(worst_logit, logit), min(worst_overlap, overlap), choices + (not same)
    met = worst_logit <= 1e-2 and worst_overlap >= 0.99 and choices == 0
    print(f"worst: logits {worst_logit:.1e} of the largest (goal 1e-2), mask IoU {worst_overlap:.5f} (goal 0.99), {choices} other choices: "
          f"{'met' if met else 'MISSED'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
