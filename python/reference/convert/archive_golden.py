"""Writes the archives of `src/convert/archive`'s tests: `.deps/venv-torch/bin/python -m python.reference.convert.archive_golden`."""

import pathlib
import zipfile

import torch

FOLDER = pathlib.Path(__file__).resolve().parents[3] / "tests/golden/convert/archive"


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3)).eval()
    torch.jit.trace(network, torch.rand(1, 1, 5, 5)).save(str(FOLDER / "traced.pt"))
    torch.save(torch.nn.Linear(2, 2).state_dict(), FOLDER / "weights.pt")
    entries = [("first", b"the first of two"), ("folder/second", b"the second of two")]
    write(FOLDER / "plain.zip", entries)
    # As if every size and offset were too large for 32 bits.
    limit, zipfile.ZIP64_LIMIT = zipfile.ZIP64_LIMIT, -1
    write(FOLDER / "zip64.zip", entries)
    zipfile.ZIP64_LIMIT = limit


def write(path: pathlib.Path, entries: list[tuple[str, bytes]]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in entries:
            archive.writestr(zipfile.ZipInfo(name), text)


if __name__ == "__main__":
    main()
