"""What every component took and gave while the reference followed a video, in the shapes of the graphs.

`slipway samurai validate --components F.npz` runs each graph on these inputs and compares. Arrays are named
GRAPH/FRAME/in/TENSOR and GRAPH/FRAME/out/TENSOR. Kept are the first two frames (the prompt's and the first tracked one) and,
of later ones, graphs that had not been met: memory attention over more frames.
"""

import pathlib

import numpy as np
import torch

from python.exporters.samurai import graphs


def _numpy(value) -> np.ndarray:
    return value.detach().numpy() if isinstance(value, torch.Tensor) else np.asarray(value, np.float32)


class Recorder:
    """Hand it to ReferenceTracker.track frame by frame, then save()."""

    def __init__(self, is_storing: bool = True):
        self._is_storing = is_storing
        self.arrays: dict[str, np.ndarray] = {}
        self._met: set[str] = set()

    def store(self, graph: str, frame: int, inputs: dict, outputs: dict) -> None:
        if not self._is_storing or (frame > 1 and graph in self._met):
            return
        self._met.add(graph)
        for side, values in (("in", inputs), ("out", outputs)):
            for name, value in values.items():
                self.arrays[f"{graph}/{frame}/{side}/{name}"] = np.ascontiguousarray(_numpy(value), dtype=np.float32)

    def store_prompt(self, frame: int, points, labels, sparse, dense) -> dict:
        """Pads a prompt as the graph takes it; returns the decoder's part of its inputs."""
        count, places = points.shape[1], graphs.PROMPT_POINTS
        filled, kinds = torch.zeros(1, places, 2), torch.full((1, places), graphs.ABSENT)
        filled[:, :count], kinds[:, :count], kinds[:, count] = points, labels, -1.0
        expected = torch.zeros(1, places, sparse.shape[-1])
        expected[:, :sparse.shape[1]] = sparse
        outputs = {"sparse_embedding": expected, "sparse_validity": (kinds > -5).float(), "dense_embedding": dense}
        side = 4 * dense.shape[-1]
        self.store("prompt_encoder", frame, {"points": filled, "labels": kinds, "mask": np.zeros((1, 1, side, side)), "has_mask": [0]}, outputs)
        return outputs

    def store_attention(self, frame: int, embeddings, memories, pointers, distances, conditioned) -> None:
        rows = graphs.POINTERS
        tokens, ages, validity = torch.zeros(rows, pointers.shape[1]), torch.zeros(rows), torch.zeros(rows)
        tokens[:len(pointers)], ages[:len(pointers)], validity[:len(pointers)] = pointers, torch.tensor(distances), 1
        self.store(f"memory_attention_{len(memories)}", frame,
                  {"image_embeddings": embeddings, "memories": memories, "object_pointers": tokens, "pointer_distances": ages,
                   "pointer_validity": validity}, {"conditioned_embeddings": conditioned})

    def save(self, path: pathlib.Path) -> None:
        np.savez(path, **self.arrays)
