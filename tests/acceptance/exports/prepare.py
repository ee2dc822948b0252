"""Puts everywhere what the official exports would download: weights and the images they compare on.

    .deps/venv-exports/bin/python tests/acceptance/exports/prepare.py CACHE [DATA]

CACHE/torch is a TORCH_HOME, CACHE/store a QAIHM_STORE_ROOT, CACHE/yolov8n.pt a checkpoint; CACHE/prepared.json says of each
model where its weights come from, and what the package declares of its inputs and outputs. DATA is the test data (images,
the weights of face_det_lite); without it those are seeded too.
"""

import json
import os
import pathlib
import shutil
import sys

CACHE = pathlib.Path(sys.argv[1]).resolve()
DATA = pathlib.Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else None
os.environ["QAIHM_STORE_ROOT"] = str(CACHE / "store")
os.environ["YOLO_CONFIG_DIR"] = str(CACHE)
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "convert"))

import numpy as np  # noqa: E402
import torch  # noqa: E402
import torchvision  # noqa: E402
from PIL import Image  # noqa: E402
from qai_hub_models.models.face_det_lite.model import DEFAULT_WEIGHTS, MODEL_ASSET_VERSION, FaceDetLite  # noqa: E402
from qai_hub_models.models.resnet18 import Model as ResNet18  # noqa: E402
from qai_hub_models.models.silero_vad import Model as SileroVAD  # noqa: E402
from qai_hub_models.models.squeezenet1_1 import Model as SqueezeNet  # noqa: E402
from qai_hub_models.models.templates.imagenet_classifier.model import TEST_IMAGENET_IMAGE  # noqa: E402
from qai_hub_models.models.yolov8_det import Model as YoloV8Detector  # noqa: E402
from qai_hub_models.utils.asset_loaders import CachedWebModelAsset  # noqa: E402
from torch import nn  # noqa: E402

from models import stir  # noqa: E402

MODELS = {"squeezenet1_1": SqueezeNet, "resnet18": ResNet18, "face_det_lite": FaceDetLite, "silero_vad": SileroVAD,
          "yolov8_det": YoloV8Detector}


def classifier(name: str, weights) -> str:
    torch.manual_seed(0)
    network = stir(getattr(torchvision.models, name)(weights=None))
    folder = CACHE / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), folder / pathlib.Path(weights.url).name)
    return "seeded weights"


def load_weights_of_onnx(network: FaceDetLite, path: pathlib.Path) -> None:
    """Gives every convolution of NETWORK the weights of the graph's, in the order in which both run.

    The graph has its norms folded into the convolutions: each becomes a norm of mean 0 and variance 1 that adds the bias.
    """
    import onnx
    graph = onnx.load(path).graph
    stored = {tensor.name: torch.from_numpy(onnx.numpy_helper.to_array(tensor).copy()) for tensor in graph.initializer}
    given = [[stored[name] for name in node.input[1:]] for node in graph.node if node.op_type == "Conv"]
    order: list[nn.Module] = []
    hooks = [module.register_forward_hook(lambda module, *_: order.append(module))
             for module in network.modules() if isinstance(module, (nn.Conv2d, nn.BatchNorm2d))]
    with torch.no_grad():
        network(torch.zeros(1, 1, 480, 640))
        for hook in hooks:
            hook.remove()
        convolutions = [index for index, module in enumerate(order) if isinstance(module, nn.Conv2d)]
        if len(convolutions) != len(given):
            raise SystemExit(f"{path}: {len(given)} convolutions, the package's network runs {len(convolutions)}")
        for index, (weight, bias) in zip(convolutions, given):
            order[index].weight.copy_(weight)
            if order[index].bias is not None:
                order[index].bias.copy_(bias)
                continue
            norm = order[index + 1]
            norm.weight.fill_((1 + norm.eps) ** 0.5)
            norm.bias.copy_(bias)
            norm.running_mean.zero_()
            norm.running_var.fill_(1)


def face_det_lite() -> str:
    torch.manual_seed(0)
    network = FaceDetLite().eval()
    path = DATA / "models" / "face" / "face_det_lite.onnx" if DATA else None
    if path and path.exists():
        load_weights_of_onnx(network, path)
        import onnxruntime
        x = np.random.default_rng(1).random((1, 1, 480, 640), dtype=np.float32)
        with torch.no_grad():
            ours = network(torch.from_numpy(x) * 0.280 + 0.442)  # what the package does to its input, undone
        theirs = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"input": x})
        for one, other in zip(ours, theirs):
            np.testing.assert_allclose(one.numpy(), other, rtol=1e-3, atol=1e-3)
        said = "real weights, of face_det_lite.onnx in the test data; random inputs"
    else:
        stir(network)
        said = "seeded weights; random inputs"
    asset = CachedWebModelAsset.from_asset_store("face_det_lite", MODEL_ASSET_VERSION, DEFAULT_WEIGHTS)
    asset.local_cache_path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), asset.local_cache_path)
    return said


def yolov8_det() -> str:
    from ultralytics import YOLO
    torch.manual_seed(0)
    network = YOLO("yolov8n.yaml")
    stir(network.model)
    network.save(str(CACHE / "yolov8n.pt"))
    return "seeded weights"


def sample_image(asset, name: str, size: tuple[int, int] | None) -> str:
    """Puts an image of the test data, or noise, where the package would download its own."""
    to = pathlib.Path(asset.local_cache_path)
    to.parent.mkdir(parents=True, exist_ok=True)
    source = DATA / "images" / name if DATA else None
    if source and source.exists() and size is None:
        shutil.copy(source, to)
        to.chmod(0o644)
        return f"the picture {source.name}"
    if source and source.exists():
        Image.open(source).convert("RGB").resize(size).save(to)
        return f"the picture {source.name}"
    noise = np.random.default_rng(1).integers(0, 256, (640, 640, 3), dtype=np.uint8)
    Image.fromarray(noise).save(to)
    return "noise as picture"


def main() -> int:
    dog = sample_image(TEST_IMAGENET_IMAGE, "street/sam2_truck.jpg", None)
    street = sample_image(CachedWebModelAsset.from_asset_store("yolov7", 1, "yolov7_demo_640.jpg"), "street/bus.jpg", (640, 640))
    said = {
        "squeezenet1_1": classifier("squeezenet1_1", torchvision.models.SqueezeNet1_1_Weights.IMAGENET1K_V1) + "; " + dog,
        "resnet18": classifier("resnet18", torchvision.models.ResNet18_Weights.IMAGENET1K_V1) + "; " + dog,
        "face_det_lite": face_det_lite(),
        "silero_vad": "real weights, inside the silero-vad package; random inputs",
        "yolov8_det": yolov8_det() + "; " + street,
    }
    rows = {}
    for name, model in MODELS.items():
        network = model.from_pretrained(str(CACHE / "yolov8n.pt")) if name == "yolov8_det" else None
        instance = network if network is not None else model.__new__(model)
        inputs = {key: [list(spec[0]), spec[1]] for key, spec in instance.get_input_spec().items()}
        rows[name] = {"what": said[name], "inputs": inputs, "outputs": list(instance.get_output_spec())}
    (CACHE / "prepared.json").write_text(json.dumps(rows, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
