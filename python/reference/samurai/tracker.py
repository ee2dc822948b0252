"""The loop around the networks in PyTorch: Sam2VideoModel's components and the rules. One object, memories as float32.

    python -m python.reference.samurai.tracker --seed 1 --video FILE --box x,y,w,h --frames 10 --json OUT --logits OUT.npz

`slipway samurai validate` compares a run with what this writes.
"""

import argparse
import json
import pathlib

import numpy as np
import torch
from torch.nn import functional

from python.exporters.samurai import checkpoint, graphs, peer
from python.reference.samurai.rules import Rules


def to_input(frame: np.ndarray, size: int) -> torch.Tensor:
    """[H, W, 3] uint8 RGB to [1, 3, S, S] in [0, 1]: straight, bilinear with antialias."""
    image = torch.from_numpy(np.ascontiguousarray(frame)).permute(2, 0, 1)[None].float() / 255
    if image.shape[-2:] == (size, size):
        return image
    return functional.interpolate(image, size=(size, size), mode="bilinear", align_corners=False, antialias=True)


def bounds(mask: torch.Tensor) -> list[int]:
    rows, columns = torch.nonzero(mask.any(1)).flatten(), torch.nonzero(mask.any(0)).flatten()
    return [0, 0, 0, 0] if len(rows) == 0 else [int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])]


class ReferenceTracker:
    """track(frame, box) for the first frame, track(frame) afterwards."""

    def __init__(self, model, motion_weight: float = 0.25):
        self.peer = peer.Peer(model)
        self.rules = Rules(motion_weight)
        self._memories: dict[int, torch.Tensor] = {}
        self._pointers: dict[int, torch.Tensor] = {}
        self.trace: list[dict] = []
        self.decisions: list[dict] = []

    @torch.no_grad()
    def track(self, frame: np.ndarray, box=None, point=None) -> torch.Tensor:
        """@param box  [x0, y0, x1, y1], @param point [x, y], in pixels of the frame; returns logits [S/4, S/4]."""
        source, model, size = self.peer, self.peer.model, self.peer.size
        height, width = frame.shape[:2]
        embeddings, high1, high2 = source.image_encoder(to_input(frame, size))
        t = self.rules.frame
        scale = torch.tensor([size / width, size / height])
        points, labels = torch.zeros(1, 1, 2), torch.full((1, 1), -1.0)
        if t == 0:
            points = torch.tensor([box], dtype=torch.float32).reshape(1, 2, 2) if box is not None else torch.tensor([[point]]).float()
            points, labels = points * scale, torch.tensor([[2.0, 3.0]] if box is not None else [[1.0]])
            inner = embeddings + model.no_memory_embedding.detach().view(1, -1, 1, 1)
        else:
            rows = [self._memories[number] for _, number in self.rules.memory()]
            pointers = self.rules.pointers()
            inner = source.memory_attention(embeddings, torch.cat(rows), torch.cat([self._pointers[number] for _, number in pointers]),
                                            [float(distance) for distance, _ in pointers])
        several = labels.shape[1] < 2
        sparse, dense = source.prompts(points, labels)
        found = peer.decoded(source, inner, (high1, high2), sparse, dense)
        masks, ious, object_score = torch.from_numpy(found["masks"]), found["ious"][0], float(found["object_score"][0, 0])
        if several:
            tokens = [1, 2, 3]
        else:
            steady = found["stability"][0, 0] >= model.config.mask_decoder_config.dynamic_multimask_stability_thresh
            tokens = [0 if steady else 1 + int(ious[1:].argmax())]
        large = functional.interpolate(masks, size=(size, size), mode="bilinear", align_corners=False)[0]
        entry = {"frame": t, "boxes": [bounds(large[token] > 0) for token in tokens], "ious": [float(ious[token]) for token in tokens],
                 "object_score": object_score}
        decision = self.rules.step(entry["boxes"], entry["ious"], object_score)
        token = tokens[decision["choice"]]
        chosen = masks[:, token:token + 1]
        self._memories[t] = source.memory_encoder(embeddings, chosen, torch.tensor([[object_score]]), t == 0)
        # A single mask keeps token 0's pointer, whichever token its mask came from.
        pointer = token if several else 0
        self._pointers[t] = torch.from_numpy(found["object_pointers"])[:, pointer]
        self.trace.append(entry)
        self.decisions.append({"frame": t, **decision})
        return chosen[0, 0]

    def document(self) -> dict:
        return {"frames": self.trace, "decisions": self.decisions}


def write_trace(path: pathlib.Path, document: dict) -> None:
    parts = [f'"{key}": [\n' + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "\n]" for key, rows in document.items()]
    path.write_text("{" + ",\n".join(parts) + "}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=tuple(checkpoint.SIZES), default="tiny")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--seed", type=int)
    source.add_argument("--checkpoint", type=pathlib.Path)
    parser.add_argument("--image-size", type=int, choices=(1024, 512), default=1024)
    parser.add_argument("--video", type=pathlib.Path, required=True)
    parser.add_argument("--box", required=True, help="x,y,w,h in pixels of the first frame")
    parser.add_argument("--frames", type=int, help="at most so many")
    parser.add_argument("--json", type=pathlib.Path, required=True, help="trace and decisions")
    parser.add_argument("--logits", type=pathlib.Path, help="the chosen masks' logits, .npz with `logits` [frame, S/4, S/4]")
    options = parser.parse_args()
    import cv2
    model = (checkpoint.seeded(checkpoint.configuration(options.size, options.image_size), options.seed) if options.seed is not None
             else checkpoint.load(options.checkpoint, options.size, options.image_size))
    tracker = ReferenceTracker(model, checkpoint.MOTION_WEIGHTS.get(options.size, 0.25))
    x, y, w, h = (float(value) for value in options.box.split(","))
    video = cv2.VideoCapture(str(options.video))
    logits = []
    while options.frames is None or len(logits) < options.frames:
        there, frame = video.read()
        if not there:
            break
        logits.append(tracker.track(frame[..., ::-1], [x, y, x + w, y + h] if not logits else None).numpy())
        print(f"frame {len(logits) - 1}: {tracker.decisions[-1]['choice']}, object score {tracker.trace[-1]['object_score']:.2f}", flush=True)
    if not logits:
        parser.error(f"{options.video}: no frame could be read")
    write_trace(options.json, tracker.document())
    if options.logits:
        np.savez(options.logits, logits=np.stack(logits))


if __name__ == "__main__":
    main()
