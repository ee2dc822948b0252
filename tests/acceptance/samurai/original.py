"""The original tracker itself (PyPI `absolutely-not-samurai`): draws weights in its own layout, and follows an object with them.

    python original.py draw --size tiny --image-size 512 --seed 1 --input FOLDER --box x0,y0,x1,y1 --output W.pt
    python original.py follow --size tiny --image-size 512 --weights W.pt --input FOLDER_OR_MP4 --box x0,y0,x1,y1 --output RUN.npz

Runs in an environment of its own, where nothing of ours is imported. RUN.npz holds for every frame: `choice`, `score` (object
score), `candidates` (predicted IoUs, NaN where there is one mask only), `logits` [S/4, S/4] and the mask at the frame's size as
packed bits; `rows` says as JSON which frames' memories and pointers went into memory attention (found by their values) and the
filter's state; `image` is the first frame as the network saw it.
"""

import argparse
import json
import pathlib

import numpy as np
import torch
from sam2 import build_sam

CONFIGURATIONS = {"tiny": "t", "small": "s", "base_plus": "b+", "large": "l"}


def model_of(size: str, image_size: int, weights=None):
    return build_sam.build_sam2_video_predictor(f"configs/samurai/sam2.1_hiera_{CONFIGURATIONS[size]}.yaml", weights, device="cpu",
                                                hydra_overrides_extra=[f"++model.image_size={image_size}"])


@torch.no_grad()
def draw(model, seed: int) -> None:
    """Every weight from the seed, such that masks are blobs, candidates differ and objects come and go."""
    generator = torch.Generator().manual_seed(seed)

    def normal(shape):
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    for name, value in sorted(model.state_dict().items()):
        if "norm" in name and value.dim() == 1 or "output_upscaling.1." in name:
            new = 0.1 * normal(value.shape) + (1.0 if name.endswith("weight") else 0.0)
        elif name.endswith("gamma"):
            new = 0.3 + 0.1 * normal(value.shape)
        elif name.endswith("bias"):
            new = 0.1 * normal(value.shape)
        elif "output_upscaling" in name and value.dim() == 4:
            # The same for all four places that one value becomes: no pattern of single pixels.
            new = (normal(value.shape[:2]) / value.shape[0]**0.5)[..., None, None].expand(value.shape)
        elif name.endswith("gaussian_matrix"):
            new = 0.5 * normal(value.shape)
        elif value.dim() >= 2 and name.endswith("weight") and "embed" not in name and "token" not in name:
            new = normal(value.shape) / value[0].numel()**0.5
            if "conv_s0" in name or "conv_s1" in name:
                new = 0.15 * new
            if name.startswith("memory_attention.") and ("out_proj" in name or "linear2" in name):
                # A tracked frame stays near the prompt's, which has no memory.
                new = 0.2 * new
        else:
            new = 0.3 * normal(value.shape)
        value.copy_(new)


@torch.no_grad()
def settle(model, folder: str, box: str) -> None:
    """Sets the heads by what they say of a few frames: masks take a tenth of the image, candidates vie with each other, and
    the object is there, doubted or lost."""
    decoder = model.sam_mask_decoder
    heads = {"iou": decoder.iou_prediction_head.layers[-1], "score": decoder.pred_obj_score_head.layers[-1]}
    seen = {name: [] for name in (*heads, "filters", "upscaled")}
    listening = [layer.register_forward_hook(lambda _, __, out, name=name: seen[name].append(out)) for name, layer in heads.items()]
    listening += [layer.register_forward_hook(lambda _, __, out: seen["filters"].append(out)) for layer in decoder.output_hypernetworks_mlps]
    listening.append(decoder.output_upscaling[4].register_forward_hook(lambda _, __, out: seen["upscaled"].append(out)))
    # Nothing hides the object meanwhile.
    model.min_obj_score_logits, least = -1e9, model.min_obj_score_logits
    state = model.init_state(folder)
    model.add_new_points_or_box(state, 0, 0, box=np.array([float(v) for v in box.split(",")], np.float32))
    for number, *_ in model.propagate_in_video(state):
        if number == 5:
            break
    model.min_obj_score_logits = least
    model.kf_mean = model.kf_covariance = None
    model.stable_frames = 0
    for each in listening:
        each.remove()
    upscaled = torch.stack([each[0].flatten(1) for each in seen["upscaled"]])
    filters = torch.stack([each[0] for each in seen["filters"]]).unflatten(0, (-1, len(decoder.output_hypernetworks_mlps)))
    levels = torch.einsum("fkc,fcp->kfp", filters, upscaled) / upscaled.sum(1).clamp(min=1e-3)
    for layer, level in zip(decoder.output_hypernetworks_mlps, levels):
        layer.layers[-1].bias -= level.flatten().quantile(0.9)
    for name, spread, middle in (("iou", 0.8, 0.4), ("score", 1.2, 0.5)):
        said = torch.cat(seen[name])[1:]
        factor = spread / said.std(0).clamp(min=1e-4)
        heads[name].weight.mul_(factor[:, None])
        heads[name].bias.copy_((heads[name].bias - said.mean(0)) * factor + middle)


class Recorder:
    """Listens to the model while it follows; what it notes of memory attention comes from the tensors that went in."""

    def __init__(self, model):
        self.model, self.frames, self._inputs = model, [], None
        heads, prepare, attention = model._forward_sam_heads, model._prepare_memory_conditioned_features, model.memory_attention.forward

        def noted_heads(*args, **kwargs):
            found = heads(*args, **kwargs)
            ious, score = found[2], found[6]
            self.last = {"choice": int((ious[0] == found[7]).nonzero()[0]), "ious": ious[0].tolist(), "score": float(score), "pointer": found[5].clone(),
                         "stable": model.stable_frames, "kf_score": None if found[8] is None else float(found[8]),
                         "mean": None if model.kf_mean is None else [float(v) for v in model.kf_mean]}
            return found

        def noted_prepare(*args, **kwargs):
            self._outputs = kwargs["output_dict"]
            self.attended = None
            return prepare(*args, **kwargs)

        def noted_attention(*args, **kwargs):
            self.attended = self._tell(kwargs["memory"], kwargs["memory_pos"], kwargs["num_obj_ptr_tokens"])
            return attention(*args, **kwargs)

        model._forward_sam_heads, model._prepare_memory_conditioned_features = noted_heads, noted_prepare
        model.memory_attention.forward = noted_attention

    def _tell(self, memory, codes, pointer_tokens: int):
        """Frames whose memories and pointers these are, in their order."""
        held = {number: out for kind in ("cond_frame_outputs", "non_cond_frame_outputs") for number, out in self._outputs[kind].items()}
        places = (self.model.image_size // 16)**2
        rows = memory[:memory.shape[0] - pointer_tokens, 0].float().split(places)
        memories = [next(n for n, out in held.items() if torch.equal(out["maskmem_features"].float().flatten(2)[0].T, row)) for row in rows]
        width = memory.shape[-1]
        tokens = memory[memory.shape[0] - pointer_tokens:, 0].reshape(-1, self.model.hidden_dim)
        pointers = [[n for n, out in held.items() if torch.equal(out["obj_ptr"][0], token)] for token in tokens]
        assert width * (pointer_tokens // max(1, len(tokens))) == self.model.hidden_dim
        return {"memory": memories, "pointers": pointers}


def follow(options) -> None:
    model = model_of(options.size, options.image_size, options.weights)
    recorder = Recorder(model)
    state = model.init_state(options.input)
    prompt = {}
    if options.box:
        prompt["box"] = np.array([float(v) for v in options.box.split(",")], np.float32)
    if options.point:
        points = [[float(v) for v in each.split(",")] for each in options.point]
        prompt["points"] = np.array([each[:2] for each in points], np.float32)
        prompt["labels"] = np.array([each[2] for each in points], np.int32)
    if options.mask:
        import PIL.Image
        model.add_new_mask(state, 0, 0, np.array(PIL.Image.open(options.mask).convert("L")) > 0)
    else:
        model.add_new_points_or_box(state, 0, 0, **prompt)
    first = recorder.last
    rows, logits, masks = [], [], []
    for number, _, large in model.propagate_in_video(state):
        seen = first if number == 0 else recorder.last
        kind = "cond_frame_outputs" if number == 0 else "non_cond_frame_outputs"
        out = state["output_dict"][kind][number]
        ious = seen["ious"]
        mask = (large[0, 0] > 0).numpy()
        there = np.argwhere(mask)
        box = [int(v) for v in (*there.min(0)[::-1], *there.max(0)[::-1])] if len(there) else None
        rows.append({"frame": number, "choice": seen["choice"], "ious": ious, "score": float(out["object_score_logits"]), "box": box,
                     "stable": seen["stable"], "kf_score": seen["kf_score"], "mean": seen["mean"],
                     "attended": None if number == 0 else recorder.attended})
        logits.append(out["pred_masks"][0, 0].numpy())
        masks.append(np.packbits(mask))
        print(f"frame {number}: choice {seen['choice']}, score {rows[-1]['score']:.2f}, IoUs {[round(v, 3) for v in ious]}, "
              f"{int(mask.sum())} pixels, stable {seen['stable']}", flush=True)
        if number + 1 == options.frames:
            break
    mean, deviation = (torch.tensor(v).view(3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    image = (state["images"][0] * deviation + mean) * 255
    np.savez_compressed(options.output, logits=np.stack(logits), masks=np.stack(masks), rows=json.dumps(rows),
                        size=[state["video_height"], state["video_width"]], image=image.round().byte().numpy())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = parser.add_subparsers(dest="verb", required=True)
    for verb in ("draw", "follow"):
        part = parts.add_parser(verb)
        part.add_argument("--size", choices=tuple(CONFIGURATIONS), default="tiny")
        part.add_argument("--image-size", type=int, default=512)
        part.add_argument("--output", type=pathlib.Path, required=True)
        part.add_argument("--input", required=True, help="a folder of JPEGs named by number, or an .mp4")
        part.add_argument("--box", help="x0,y0,x1,y1")
        if verb == "draw":
            part.add_argument("--seed", type=int, required=True)
        else:
            part.add_argument("--weights", required=True)
            part.add_argument("--point", action="append", help="x,y,label; may be repeated")
            part.add_argument("--mask")
            part.add_argument("--frames", type=int, help="stop after so many")
    options = parser.parse_args()
    if options.verb == "follow":
        return follow(options)
    model = model_of(options.size, options.image_size)
    draw(model, options.seed)
    settle(model, options.input, options.box)
    torch.save({"model": model.state_dict()}, options.output)


if __name__ == "__main__":
    main()
