"""TorchScript archives that PyTorch wrote (python/reference/convert/torch_script_golden.py), converted, run and compared."""

import numpy as np
import onnxruntime
import pytest

from python.tests.commands import GOLDEN, slipway

GOLDENS = sorted((GOLDEN / "convert/torch_script").glob("*.npz"))


@pytest.mark.parametrize("path", GOLDENS, ids=lambda path: path.stem)
def test_an_archive_computes_what_pytorch_does_in_the_same_types(path, tmp_path):
    with np.load(path) as goldens:
        inputs, outputs = ([goldens[f"{kind}_{i}"] for i in range(sum(name.startswith(kind) for name in goldens.files))]
                           for kind in ("input", "output"))
    specs = [f"x{i}={'x'.join(map(str, array.shape))}:{array.dtype}" for i, array in enumerate(inputs)]
    done = slipway("convert", path.with_suffix(".pt"), "-o", tmp_path / "model.onnx", "--input-spec", *specs)
    assert done.returncode == 0, done.stderr.decode()
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    given = session.run(None, {f"x{i}": array for i, array in enumerate(inputs)})
    assert [(each.dtype, each.shape) for each in given] == [(each.dtype, each.shape) for each in outputs]
    for got, expected in zip(given, outputs):
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5, equal_nan=False)
