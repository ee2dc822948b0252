"""Builds the models of models.txt in PyTorch, with seeded weights, and an input for each.

`build(name)` gives (module in eval mode, tuple of inputs). Weights that an initialisation leaves at one number (batch
norms, layer scales, biases) are stirred, so that no branch is silent and every operand matters.
"""

import importlib
import pathlib
import subprocess
import sys
import tempfile

import torch
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3]))


def names() -> list[str]:
    lines = (pathlib.Path(__file__).with_name("models.txt")).read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def stir(module: nn.Module) -> nn.Module:
    generator = torch.Generator().manual_seed(1)
    running = {}
    for path, buffer in module.named_buffers():
        running[path] = buffer
    with torch.no_grad():
        for path, tensor in [*module.named_parameters(), *running.items()]:
            if not tensor.is_floating_point() or tensor.numel() == 0 or not (tensor == tensor.flatten()[0]).all():
                continue
            is_scale = path.endswith(("weight", "running_var"))
            noise = torch.rand(tensor.shape, generator=generator) - 0.5
            if path.endswith(("running_mean", "running_var", "weight", "bias", "gamma", "lambda", "scale", "ls1", "ls2")):
                tensor.copy_(1 + 0.6 * noise if is_scale else 0.6 * noise)
    return module.eval()


def image(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(2))


def person(side: int) -> torch.Tensor:
    """An image of one (tools/setup.sh assets). Without a person the probability of one is 1e-7, which ONNX Runtime's
    Sigmoid, exact to 2e-8, gives with an error of 13 dB."""
    import numpy
    from PIL import Image
    path = pathlib.Path(__file__).resolve().parents[3] / ".deps/assets/astronaut.png"
    person_image = Image.open(path).convert("RGB").resize((side, side))
    return torch.from_numpy(numpy.asarray(person_image, numpy.float32)[None] / 255)


class Backbone(nn.Module):
    """A detector's network without what picks boxes: every tensor of its heads and pyramid."""

    def __init__(self, detector):
        super().__init__()
        self.backbone = detector.backbone
        self.head = getattr(detector, "head", None)
        self.rpn_head = detector.rpn.head if hasattr(detector, "rpn") else None

    def forward(self, x):
        features = list(self.backbone(x).values())
        if self.rpn_head is not None:
            return features, self.rpn_head(features)
        return self.head(features)


def _official(name):
    if name in ("squeezenet1_1", "resnet18"):
        import torchvision
        package = importlib.import_module(f"qai_hub_models.models.{name}.model")
        classifier = {"squeezenet1_1": "SqueezeNet", "resnet18": "ResNet18"}[name]
        return getattr(package, classifier)(getattr(torchvision.models, name)(weights=None)), (image(1, 3, 224, 224),)
    if name == "face_det_lite":
        from qai_hub_models.models.face_det_lite.model import FaceDetLite
        return FaceDetLite(), (image(1, 1, 480, 640),)
    if name == "silero_vad":
        from qai_hub_models.models.silero_vad import model
        built = model.SileroVAD.from_pretrained() if hasattr(model, "SileroVAD") else model.Model.from_pretrained()
        spec = built.get_input_spec()
        return built, tuple(image(*each.shape) for each in spec.values())
    from qai_hub_models.models.yolov8_det.model import YoloV8Detector
    return YoloV8Detector.from_pretrained("yolov8n.yaml"), (image(1, 3, 640, 640),)


def _torchvision(name):
    import torchvision
    makers = torchvision.models
    shape = (1, 3, 224, 224)
    if name == "inception_v3":
        shape = (1, 3, 299, 299)
    if name.startswith("swin_v2"):
        shape = (1, 3, 256, 256)
    if name in makers.list_models(module=makers.video):
        shape = (1, 3, 16, 224, 224) if name.startswith("mvit") else (1, 3, 8, 112, 112)
        if name == "s3d":
            shape = (1, 3, 16, 224, 224)
    weights = {"weights": None}
    if name in makers.list_models(module=makers.segmentation):
        weights["weights_backbone"] = None
    if name in ("googlenet", "inception_v3"):
        weights |= {"init_weights": False, "aux_logits": False}
    return makers.get_model(name, **weights), (image(*shape),)


def _torchvision_detection(name):
    from torchvision.models import detection
    from torchvision.models.detection.backbone_utils import mobilenet_backbone, resnet_fpn_backbone
    if name in ("resnet50_fpn", "mobilenet_v3_large_fpn", "resnet50_fpn_v2"):
        maker = {"resnet50_fpn": "fasterrcnn_resnet50_fpn", "mobilenet_v3_large_fpn": "fasterrcnn_mobilenet_v3_large_fpn",
                 "resnet50_fpn_v2": "fasterrcnn_resnet50_fpn_v2"}[name]
    else:
        maker = name
    detector = getattr(detection, maker)(weights=None, weights_backbone=None)
    side = {"ssd300_vgg16": 300, "ssdlite320_mobilenet_v3_large": 320}.get(name, 256)
    return Backbone(detector), (image(1, 3, side, side),)


def _timm(name):
    import timm
    model = timm.create_model(name, pretrained=False)
    return model, (image(1, *model.default_cfg["input_size"]),)


def _ultralytics(name):
    from ultralytics import YOLO
    model = YOLO(name + ".yaml", verbose=False).model.eval()
    for module in model.modules():
        if hasattr(module, "export"):
            module.export, module.format = True, "onnx"
    side = 224 if name.endswith("cls") else 640
    return model, (image(1, 3, side, side),)


def _pipeline(name):
    if name == "ffnet_40s":
        from python.exporters import ffnet_40s
        return ffnet_40s.load(None, 1)[0] if isinstance(ffnet_40s.load(None, 1), tuple) else ffnet_40s.load(None, 1), (image(1, 3, 512, 1024),)
    if name.startswith("mediapipe_face"):
        from python.exporters.mediapipe_torch import face_networks
        module = {"detector_front": (face_networks.FrontDetector, 128), "detector_back": (face_networks.BackDetector, 256),
                  "landmark": (face_networks.Landmark, 192)}[name.removeprefix("mediapipe_face_")]
        return module[0](), (image(1, 3, module[1], module[1]),)
    if name == "htdemucs":
        return _htdemucs()
    return _mediapipe_graph(name)


def _mediapipe_graph(name):
    """Hand and pose networks are public as TFLite alone: their graphs, as this project's exporters write them, in PyTorch.

    Real weights (tools/setup.sh assets); the exporter of the graph runs in the tests' environment.
    """
    from graph_module import GraphModule
    root = pathlib.Path(__file__).resolve().parents[3]
    module, checkpoint, side = {
        "mediapipe_hand_detector": ("mediapipe_hand", "palm_detection_full", 192),
        "mediapipe_hand_landmark": ("mediapipe_hand", "hand_landmark_full", 224),
        "mediapipe_pose_detector": ("mediapipe_pose", "pose_detection", 224),
        "mediapipe_pose_landmark": ("mediapipe_pose", "pose_landmark_full", 256),
    }[name]
    with tempfile.TemporaryDirectory(prefix="slipway-acceptance-") as folder:
        subprocess.run([root / ".deps/venv/bin/python", "-m", f"python.exporters.{module}", "--checkpoint",
                        root / ".deps/assets" / f"{checkpoint}.tflite", "--output", folder, "--form", "portable"],
                       cwd=root, check=True, stdout=subprocess.DEVNULL)
        (graph,) = pathlib.Path(folder).glob("*.onnx")
        return GraphModule(graph), (person(side) if module == "mediapipe_pose" else image(1, side, side, 3),)


def _htdemucs():
    from python.exporters.demucs import checkpoint

    class Inner(nn.Module):
        """The network between the spectrogram and its inverse: what a device runs."""

        def __init__(self, model):
            super().__init__()
            self.model = model

        def forward(self, input, x):
            model = self.model
            model._spec = lambda mix: mix
            model._magnitude = lambda z: x
            model._mask = lambda z, m: m
            seen = {}

            def store(z, length):
                seen["z"] = z
                return torch.zeros(z.shape[0], z.shape[1], z.shape[2] // 2, length)

            model._ispec = store
            model.use_train_segment = False
            out = model(input)
            return out, seen["z"]

    model = checkpoint.seeded(1, 4)
    return Inner(model), (image(1, 2, 44100) - 0.5, image(1, 4, 2048, 44) - 0.5)


def _sam(name):
    from python.exporters.samurai import checkpoint, export
    model = checkpoint.seeded(checkpoint.configuration("tiny", 1024), 1)
    name = "memory_attention_7" if name == "memory_attention" else name
    module = export.module_of(model, name, "plain")
    generator = torch.Generator().manual_seed(3)
    return module, tuple(torch.rand(*shape, generator=generator) for shape in export.shapes(model, name))


def _transformers(name):
    import transformers
    torch.manual_seed(1)
    tokens = lambda high, count: torch.randint(0, high, (1, count), generator=torch.Generator().manual_seed(3))

    class First(nn.Module):
        def __init__(self, model, outputs=1):
            super().__init__()
            self.model, self.outputs = model, outputs

        def forward(self, *inputs):
            given = self.model(*inputs, return_dict=False)
            return given[: self.outputs] if self.outputs > 1 else given[0]

    if name == "bert":
        class Bert(nn.Module):
            def __init__(self):
                super().__init__()
                self.model = transformers.BertModel(transformers.BertConfig())

            def forward(self, input_ids, attention_mask):
                return self.model(input_ids=input_ids, attention_mask=attention_mask, return_dict=False)
        return Bert(), (tokens(30000, 128), torch.ones(1, 128, dtype=torch.int64))
    if name == "vit":
        return First(transformers.ViTModel(transformers.ViTConfig()), 2), (image(1, 3, 224, 224),)
    if name == "swin":
        return First(transformers.SwinModel(transformers.SwinConfig()), 2), (image(1, 3, 224, 224),)
    if name == "convnext":
        return First(transformers.ConvNextModel(transformers.ConvNextConfig()), 2), (image(1, 3, 224, 224),)
    configuration = transformers.WhisperConfig(d_model=384, encoder_layers=4, decoder_layers=4, encoder_attention_heads=6,
                                               decoder_attention_heads=6, encoder_ffn_dim=1536, decoder_ffn_dim=1536)
    model = transformers.WhisperModel(configuration)
    if name == "whisper_tiny_encoder":
        return First(model.encoder), (image(1, 80, 3000),)

    class Decoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model.decoder

        def forward(self, tokens, encoded):
            return self.model(input_ids=tokens, encoder_hidden_states=encoded, use_cache=False, return_dict=False)[0]
    return Decoder(), (tokens(50000, 64), image(1, 1500, 384))


_SOURCES = {"official": _official, "torchvision": _torchvision, "torchvision_detection": _torchvision_detection, "timm": _timm,
            "ultralytics": _ultralytics, "pipeline": _pipeline, "sam2.1": _sam, "transformers": _transformers}


def build(name: str):
    torch.manual_seed(0)
    source, _, model = name.partition("/")
    module, inputs = _SOURCES[source](model)
    return stir(module.eval()), inputs
