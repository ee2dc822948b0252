"""Writes the archives of `src/convert/torch_script`'s tests, with what PyTorch computes from them:
`.deps/venv-torch/bin/python -m python.reference.convert.torch_script_golden`."""

import io
import pathlib
import pickle
import warnings
import zipfile

import numpy
import torch
from torch import nn

FOLDER = pathlib.Path(__file__).resolve().parents[3] / "tests/golden/convert/torch_script"


class Block(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm = nn.BatchNorm2d(channels)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x):
        y = self.act(self.norm(self.conv(x)))
        y += x
        return y


class Picture(nn.Module):
    """Channels last at the boundary, sizes read from tensors, blocks in a list."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, stride=2, padding=1)
        self.blocks = nn.ModuleList([Block(4), Block(4)])
        self.head = nn.Linear(4, 3)

    def forward(self, picture):
        x = self.stem(picture.permute(0, 3, 1, 2))
        for block in self.blocks:
            x = block(x)
        batch, channels, height, width = x.shape
        rows = x.permute(0, 2, 3, 1).reshape(batch, height * width, channels)
        return self.head(rows), x.mean((2, 3))


class Writes(nn.Module):
    """Parts of a tensor are written to through views, and read again through others."""

    def forward(self, x, y):
        z = x * 2
        view = z.transpose(0, 1)
        z[:, 1] = y
        z[0, 2:] += 10
        a, b = z.split(2, dim=0)
        a.mul_(b)
        flat = z.view(-1)
        flat[::5] = 0
        return z, view


@torch.jit.script
def halves(x, at: int, gate: bool = True):
    if gate:
        t = torch.tanh(x)
    else:
        t = torch.sigmoid(x)
    return t[:, :at] * t[:, at:]


class CallsScripted(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(6, 4)

    def forward(self, pair):
        first, second = pair
        return {"gated": halves(self.linear(first), 2), "shifted": second.masked_fill(second > 0, float("-inf"))}


class Scripted(nn.Module):
    """Conditions, loops and lists that do not depend on data."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4)])
        self.scale = 0.5
        self.repeats = 3
        self.mode = "mean"

    def forward(self, x):
        if self.training:
            x = x + 1
        parts = []
        for i in range(self.repeats):
            parts.append(x * float(i))
        for layer in self.layers:
            x = layer(x)
        if self.mode == "mean":
            x = x * self.scale
        return torch.cat(parts, 1) + torch.cat([x, x, x], 1)


class Checked(nn.Module):
    """A scripted norm checks its input's rank, which the code alone does not tell, and raises; so does the model itself."""

    def __init__(self) -> None:
        super().__init__()
        self.block = nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU())

    def forward(self, x):
        y = self.block(x)
        if y.shape[1] == 4:
            y = y + 1
        else:
            raise ValueError("four channels are wanted")
        return y.mean((2, 3))


class Numbers(nn.Module):
    """Numbers that a trace stores as tensors of float64 and int64 widen no type; a tensor of the model's own does."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("wide", torch.tensor(2.5, dtype=torch.float64))

    def forward(self, count):
        return count * 2.5, count / 2, 0.5 + count.to(torch.uint8), count * self.wide, count.half() * 3.5


class BranchOnData(nn.Module):
    def forward(self, x):
        if bool(x.sum() > 0):
            return x + 1
        return x - 1


class LoopOnData(nn.Module):
    def forward(self, x):
        for _ in range(int(x.sum())):
            x = x + 1
        return x


class KeepsState(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros(1))

    def forward(self, x):
        self.seen += 1
        return x + self.seen


def save(name: str, module: torch.jit.ScriptModule) -> None:
    module.save(str(FOLDER / f"{name}.pt"))


def traced(name: str, module: nn.Module, *inputs) -> None:
    torch.manual_seed(0)
    for buffer_name, buffer in module.named_buffers():
        if buffer_name.endswith("running_mean"):
            buffer.uniform_(-0.5, 0.5)
        if buffer_name.endswith("running_var"):
            buffer.uniform_(0.5, 2)
    module.eval()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        save(name, torch.jit.trace(module, inputs, strict=False))
        outputs(name, module, *inputs)


def outputs(name: str, module: nn.Module, *inputs) -> None:
    """Inputs and outputs, flat, as input_0 …, output_0 …"""

    def flat(value) -> list[torch.Tensor]:
        if isinstance(value, torch.Tensor):
            return [value]
        return [tensor for element in (value.values() if isinstance(value, dict) else value) for tensor in flat(element)]

    arrays = {f"input_{i}": tensor.numpy().copy() for i, tensor in enumerate(flat(inputs))}
    arrays |= {f"output_{i}": tensor.numpy() for i, tensor in enumerate(flat(module(*inputs)))}
    numpy.savez_compressed(FOLDER / f"{name}.npz", **arrays)


class Evil:
    def __reduce__(self):
        return eval, ("1 + 1",)


def hostile(name: str, data: bytes) -> None:
    """The archive of `scripted`, with another data.pkl, deflated where it is long."""
    with zipfile.ZipFile(FOLDER / "scripted.pt") as source, zipfile.ZipFile(FOLDER / f"hostile_{name}.pt", "w") as target:
        for entry in source.infolist():
            content = data if entry.filename.endswith("/data.pkl") else source.read(entry)
            packing = zipfile.ZIP_DEFLATED if content is data and len(data) > 100_000 else zipfile.ZIP_STORED
            target.writestr(zipfile.ZipInfo(entry.filename), content, packing)


def hostile_code(name: str, body: str) -> None:
    """The archive of `branch_on_data`, whose forward(x) does something else."""
    head = "class BranchOnData(Module):\n  def forward(self: __torch__.BranchOnData,\n    x: Tensor) -> Tensor:\n"
    with zipfile.ZipFile(FOLDER / "branch_on_data.pt") as source, zipfile.ZipFile(FOLDER / f"hostile_{name}.pt", "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            content = (head + body).encode() if entry.filename.endswith("/code/__torch__.py") else source.read(entry)
            target.writestr(entry.filename, content, zipfile.ZIP_DEFLATED if "/code/" in entry.filename else zipfile.ZIP_STORED)


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    torch.manual_seed(0)
    traced("picture", Picture(), torch.rand(1, 8, 6, 3))
    traced("writes", Writes(), torch.rand(4, 5), torch.rand(4))
    traced("calls_scripted", CallsScripted(), (torch.rand(2, 6), torch.rand(2, 3) - 0.5))
    torch.manual_seed(0)
    scripted = Scripted().eval()
    save("scripted", torch.jit.script(scripted))
    with torch.no_grad():
        outputs("scripted", scripted, torch.rand(2, 4))
    torch.manual_seed(0)
    checked = Checked().eval()
    save("checked", torch.jit.script(checked))
    with torch.no_grad():
        outputs("checked", checked, torch.rand(1, 2, 5, 6))
    traced("numbers", Numbers(), torch.arange(-2, 3))
    for name, module in [("branch_on_data", BranchOnData()), ("loop_on_data", LoopOnData()), ("keeps_state", KeepsState())]:
        save(name, torch.jit.script(module.eval()))

    hostile_code("call_of_nothing", "    return torch.__not__()\n")
    hostile_code("calls_itself", "    return (self).forward(x, )\n")
    hostile_code("endless_loop", "    a = True\n    while a:\n      a = True\n    return x\n")
    hostile_code("twice_at_each_level", "".join(f"    y{i} = [y{i - 1}, y{i - 1}]\n" if i else "    y0 = [x, x]\n" for i in range(40)) + "    return torch.cat(y39)\n")
    hostile_code("deep_brackets", "    return " + "[" * 100_000 + "\n")
    hostile_code("divides_by_zero", "    return torch.mul(x, torch.floordiv(1, 0))\n")
    hostile_code("imports", "    return __import__(\"os\")\n")

    hostile("global", pickle.dumps(Evil(), protocol=2))
    hostile("system", b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R.")
    hostile("opcode", pickle.dumps({1, 2}, protocol=4))
    # A tuple of the same tuple twice, a thousand times over: 2 to the 1000 if it were counted out.
    bomb = io.BytesIO()
    bomb.write(b"\x80\x02)q\x000")
    for _ in range(1000):
        bomb.write(b"h\x00h\x00\x86q\x000")
    hostile("memo_bomb", bomb.getvalue() + b"h\x00.")
    hostile("deep", b"\x80\x02N" + b"\x85" * 20_000 + b".")
    hostile("many_objects", b"\x80\x02(" + b"N" * 5_000_000 + b"t.")
    hostile("circle", b"\x80\x02]q\x00h\x00a.")
    hostile("cut_short", pickle.dumps([1.0] * 10, protocol=2)[:-5])
    hostile("empty_stack", b"\x80\x02R.")
    tensor = (
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000"
        b"X\x03\x00\x00\x00cpu%stQ%s(%st(%st\x89ccollections\nOrderedDict\n)RtR."
    )
    # layers.0.weight has 16 elements.
    hostile("storage_size", tensor % (b"K\x20", b"K\x00", b"K\x04", b"K\x01"))
    hostile("beyond_storage", tensor % (b"K\x10", b"K\x02", b"K\x04K\x04", b"K\x04K\x01"))
    hostile("overlapping", tensor % (b"K\x10", b"K\x00", b"J\x00\x00\x00\x7f", b"K\x00"))
    hostile("product_overflow", tensor % (b"K\x10", b"K\x00", b"J\x00\x00\x00\x7f" * 3, b"K\x01K\x01K\x01"))
    hostile("negative_size", tensor % (b"K\x10", b"K\x00", b"J\xff\xff\xff\xff", b"K\x01"))


if __name__ == "__main__":
    main()
