"""The loop around the networks in PyTorch: Sam2VideoModel's components and the rules. One object.

    python -m python.reference.samurai.tracker --seed 1 --video FILE --box x,y,w,h --frames 10 --json OUT --logits OUT.npz

`slipway samurai validate` compares a run with what this writes. OpenCV's colours of a video differ from Slipway's (matrix,
interpolation of chroma, rounding); with --save-frames both see the same pixels. --bf16 runs PyTorch's own automatic bf16, as the
publisher's demo does, and --against compares its masks with those of a run in float32: what part of a difference is the type's,
whoever computes.
"""

import argparse
import hashlib
import itertools
import json
import pathlib
import time

import numpy as np
import PIL.Image
import torch
from torch.nn import functional

from python.exporters.samurai import checkpoint, graphs, peer
from python.reference.samurai import agreement, autocast, components
from python.reference.samurai.rules import Rules


def to_input(frame: np.ndarray, size: int) -> torch.Tensor:
    """[H, W, 3] uint8 RGB to [1, 3, S, S] in [0, 1]: straight, bicubic with antialias, to 8 bits, as SAMURAI's own loader does."""
    square = PIL.Image.fromarray(np.ascontiguousarray(frame)).resize((size, size), PIL.Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(square)).permute(2, 0, 1)[None].float() / 255


def frames_of(source: pathlib.Path):
    """RGB frames of a video, or of the images in a folder in the order of their names."""
    if source.is_dir():
        for path in sorted(source.iterdir()):
            yield np.array(PIL.Image.open(path).convert("RGB"))
        return
    import cv2
    video = cv2.VideoCapture(str(source))
    while True:
        there, frame = video.read()
        if not there:
            return
        yield frame[..., ::-1]


def bounds(mask: torch.Tensor) -> list[int]:
    rows, columns = torch.nonzero(mask.any(1)).flatten(), torch.nonzero(mask.any(0)).flatten()
    return [0, 0, 0, 0] if len(rows) == 0 else [int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])]


class ReferenceTracker:
    """track(frame, box), or points, or a mask, for the first frame, track(frame) afterwards."""

    def __init__(self, model, motion_weight: float = 0.25, recorder: components.Recorder | None = None, video_frames: int | None = None):
        """@param video_frames  of the whole video; None: 16 or more"""
        self.peer = peer.Peer(model)
        self.recorder = recorder or components.Recorder(is_storing=False)
        self.rules = Rules(motion_weight)
        self._most_pointers = min(video_frames or graphs.POINTERS, graphs.POINTERS)
        self._memories: dict[int, torch.Tensor] = {}
        self._pointers: dict[int, torch.Tensor] = {}
        self.trace: list[dict] = []
        self.decisions: list[dict] = []

    @torch.no_grad()
    def track(self, frame: np.ndarray, box=None, points=(), mask=None) -> torch.Tensor:
        """@param box  [x0, y0, x1, y1], @param points [x, y, label] each, in pixels of the frame; @param mask [S, S] of 0 and 1, alone;
        returns logits [S/4, S/4]."""
        source, model, size, recorder = self.peer, self.peer.model, self.peer.size, self.recorder
        height, width = frame.shape[:2]
        image = to_input(frame, size)
        embeddings, high1, high2 = source.image_encoder(image)
        t = self.rules.frame
        if mask is not None:
            return self._start_with_mask(embeddings, [high1, high2], torch.from_numpy(np.asarray(mask, np.float32))[None, None])
        maps = {"high_res_features1": high1, "high_res_features2": high2}
        recorder.store("image_encoder", t, {"image": image}, {"image_embeddings": embeddings, **maps})
        scale = torch.tensor([size / width, size / height])
        if t == 0:
            shown = ([] if box is None else [[*box[:2], 2], [*box[2:], 3]]) + list(points)
            points, labels = torch.tensor([[each[:2] for each in shown]]).float() * scale, torch.tensor([[float(each[2]) for each in shown]])
            inner = embeddings + model.no_memory_embedding.detach().view(1, -1, 1, 1)
        else:
            points, labels = torch.zeros(1, 1, 2), torch.full((1, 1), -1.0)
            rows = [self._memories[number] for _, number in self.rules.memory()]
            pointers = self.rules.pointers()
            tokens, distances = torch.cat([self._pointers[number] for _, number in pointers]), [float(distance) for distance, _ in pointers]
            inner = source.memory_attention(embeddings, torch.cat(rows), tokens, distances, self._most_pointers)
            # Our graphs divide by the 15 of a long video, always.
            distances = [each * (graphs.POINTERS - 1) / (self._most_pointers - 1) for each in distances]
            recorder.store_attention(t, embeddings, torch.cat(rows), tokens, distances, inner)
        several = labels.shape[1] < 2
        sparse, dense = source.prompts(points, labels)
        found = peer.decoded(source, inner, (high1, high2), sparse, dense)
        prompt = recorder.store_prompt(t, points, labels, sparse, dense)
        recorder.store("mask_decoder", t, {"embeddings": embeddings if t == 0 else inner, "no_memory": [float(t == 0)], **maps, **prompt}, found)
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
        memory = source.memory_encoder(embeddings, chosen, torch.tensor([[object_score]]), t == 0)
        recorder.store("memory_encoder", t, {"image_embeddings": embeddings, "mask": chosen, "object_score": [[object_score]],
                                            "is_prompt": [float(t == 0)]}, {"memory": memory})
        # SAM 2 keeps memories in bfloat16.
        self._memories[t] = memory.bfloat16().float()
        # A single mask keeps token 0's pointer, whichever token its mask came from.
        pointer = token if several else 0
        self._pointers[t] = torch.from_numpy(found["object_pointers"])[:, pointer]
        self.trace.append(entry)
        self.decisions.append({"frame": t, **decision})
        return chosen[0, 0]

    def _start_with_mask(self, embeddings, high_res, mask) -> torch.Tensor:
        """The package's own way: the mask is the answer, sure of itself. Its pointer is the single mask's as in the original, where
        the package asks for that of the best of three."""
        model = self.peer.model
        found = model._use_mask_as_output(embeddings, high_res, mask)
        pointer = model._single_frame_forward(input_masks=model.mask_downsample(mask), image_embeddings=[*high_res, embeddings],
                                              multimask_output=False).object_pointer
        low, score = found.pred_masks, float(found.object_score_logits)
        large = functional.interpolate(low, size=(self.peer.size, self.peer.size), mode="bilinear", align_corners=False)
        entry = {"frame": 0, "boxes": [bounds(large[0, 0] > 0)], "ious": [float(found.iou_scores)], "object_score": score}
        self.trace.append(entry)
        self.decisions.append({"frame": 0, **self.rules.step(entry["boxes"], entry["ious"], score)})
        self._memories[0] = self.peer.memory_encoder(embeddings, low, torch.tensor([[score]]), True).bfloat16().float()
        self._pointers[0] = pointer.reshape(1, -1)
        return low[0, 0]

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
    parser.add_argument("--video", type=pathlib.Path, required=True, help="a video, or a folder of pictures")
    parser.add_argument("--box", required=True, help="x,y,w,h in pixels of the first frame")
    parser.add_argument("--frames", type=int, help="at most so many")
    parser.add_argument("--json", type=pathlib.Path, required=True, help="trace and decisions")
    parser.add_argument("--logits", type=pathlib.Path, help="the chosen masks' logits, .npz with `logits` [frame, S/4, S/4], and sums of the frames")
    parser.add_argument("--components", type=pathlib.Path, help="what each component took and gave on the first frames, .npz")
    parser.add_argument("--bf16", action="store_true", help="PyTorch's automatic bf16 (torch.autocast)")
    parser.add_argument("--float32", choices=autocast.PARTS, action="append", default=[], help="with --bf16, a part that stays in float32")
    parser.add_argument("--against", type=pathlib.Path, help="the --logits of another run over the same frames: prints mask IoU")
    parser.add_argument("--save-frames", type=pathlib.Path, help="folder for the frames as they were seen, PNG")
    options = parser.parse_args()
    model = (checkpoint.seeded(checkpoint.configuration(options.size, options.image_size), options.seed) if options.seed is not None
             else checkpoint.load(options.checkpoint, options.size, options.image_size))
    if options.bf16:
        autocast.lower(model, options.float32)
    recorder = components.Recorder(is_storing=options.components is not None)
    tracker = ReferenceTracker(model, checkpoint.MOTION_WEIGHTS.get(options.size, 0.25), recorder)
    x, y, w, h = (float(value) for value in options.box.split(","))
    logits, digests, started = [], [], time.perf_counter()
    if options.save_frames:
        options.save_frames.mkdir(parents=True, exist_ok=True)
    for frame in itertools.islice(frames_of(options.video), options.frames):
        if options.save_frames:
            PIL.Image.fromarray(np.ascontiguousarray(frame)).save(options.save_frames / f"{len(logits):05}.png")
        shape = frame.shape[:2]
        digests.append(list(hashlib.sha256(frame.tobytes()).hexdigest().encode()))
        logits.append(tracker.track(frame, [x, y, x + w, y + h] if not logits else None).numpy())
        print(f"frame {len(logits) - 1}: {tracker.decisions[-1]['choice']}, object score {tracker.trace[-1]['object_score']:.2f}", flush=True)
    if not logits:
        parser.error(f"{options.video}: no frame could be read")
    print(f"{(time.perf_counter() - started) / len(logits):.3f} s a frame")
    write_trace(options.json, tracker.document())
    if options.components:
        recorder.save(options.components)
    if options.logits:
        np.savez(options.logits, logits=np.stack(logits), frames_sha256=np.array(digests, np.uint8))
    if options.against:
        one, other = (agreement.masks(each, *shape) for each in (np.load(options.against)["logits"], np.stack(logits)))
        print(agreement.line(agreement.overlaps(one, other)))


if __name__ == "__main__":
    main()
