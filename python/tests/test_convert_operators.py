"""Every ATen operator that `slipway convert` takes, against what PyTorch computes (python/reference/convert/operator_golden.py)."""


import numpy as np
import onnxruntime
import pytest

from python.tests.commands import GOLDEN, REPOSITORY, run_json, slipway

GOLDENS = sorted((GOLDEN / "convert/operators").glob("*.npz"))


def agree(expected: np.ndarray, got: np.ndarray) -> bool:
    if expected.dtype != got.dtype or expected.shape != got.shape:
        return False
    if not np.issubdtype(expected.dtype, np.floating):
        return bool((expected == got).all())
    tolerance = 2e-3 if expected.dtype == np.float16 else 2e-5
    return bool(np.allclose(expected.astype(np.float64), got.astype(np.float64), rtol=tolerance, atol=tolerance, equal_nan=True))


@pytest.mark.parametrize("path", GOLDENS, ids=lambda path: path.stem)
@pytest.mark.parametrize("opset", [18, 21])
def test_every_case_of_a_family_agrees_with_pytorch(path, opset, tmp_path):
    with np.load(path) as goldens:
        held = {name: goldens[name] for name in goldens.files}
    (tmp_path / "cases.pt2").write_bytes(held["archive"].tobytes())
    status, _, errors = run_json("convert", tmp_path / "cases.pt2", "-o", tmp_path / "cases.onnx", "--opset", opset)
    assert status == 0, errors
    session = onnxruntime.InferenceSession(str(tmp_path / "cases.onnx"), providers=["CPUExecutionProvider"])
    given = session.run(None, {each.name: held[f"in_{i}"] for i, each in enumerate(session.get_inputs())})
    assert len(given) == len(held["cases"])
    wrong = [str(name) for i, (name, got) in enumerate(zip(held["cases"], given)) if not agree(held[f"out_{i}"], got)]
    assert not wrong


def test_the_page_of_operators_is_what_the_table_says():
    done = slipway("convert", "--operators", text=True)
    assert (REPOSITORY / "docs/aten-operators.md").read_text() == done.stdout


def test_every_schema_is_listed_once():
    _, [table], _ = run_json("convert", "--operators")
    names = [each["name"] for each in table["operators"]]
    assert len(names) == len(set(names)) > 400
