"""Judges our ONNX files with software that nobody here wrote: the `onnx` and `onnxruntime` packages.

onnx_oracle.py same SOURCE RESULT    RESULT passes the checker and computes what SOURCE does on the same numbers
onnx_oracle.py signature MODEL       prints inputs and outputs, one a line: name dtype shape
onnx_oracle.py split SOURCE FOLDER   saves SOURCE into FOLDER with every weight in an external file of its own
"""

import sys

import numpy as np
import onnx
import onnxruntime

DTYPES = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(int32)": np.int32, "tensor(uint8)": np.uint8,
          "tensor(bool)": np.bool_}


def load(path):
    onnx.checker.check_model(path, full_check=True)
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def as_wanted(array, dtype, shape):
    """Brings a result's tensor to the source's form: 64 bits in place of 32, channels first in place of last."""
    fits = all(theirs == ours for theirs, ours in zip(shape, array.shape) if isinstance(theirs, int))
    if len(shape) > 2 and not fits:
        array = np.moveaxis(array, -1, 1)
    return np.asarray(array, dtype, order="C")  # ascontiguousarray() makes a list of a scalar


def same(source_path, result_path):
    source, result = load(source_path), load(result_path)
    random = np.random.default_rng(1)
    fed_to_source, fed_to_result = {}, {}
    assert len(source.get_inputs()) == len(result.get_inputs()), "another number of inputs"
    assert len(source.get_outputs()) == len(result.get_outputs()), "another number of outputs"
    for theirs, ours in zip(source.get_inputs(), result.get_inputs()):
        dtype = DTYPES[ours.type]
        array = random.random(ours.shape) if dtype == np.float32 else random.integers(0, 2, ours.shape)
        fed_to_result[ours.name] = array.astype(dtype)
        fed_to_source[theirs.name] = as_wanted(fed_to_result[ours.name], DTYPES[theirs.type], theirs.shape)
    for name, expected, found in zip([o.name for o in result.get_outputs()], source.run(None, fed_to_source),
                                     result.run(None, fed_to_result)):
        found = as_wanted(found, expected.dtype, expected.shape)
        assert expected.shape == found.shape, f"{name}: {expected.shape} became {found.shape}"
        tolerance = 1e-6 if np.issubdtype(expected.dtype, np.floating) else 0
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance, err_msg=name)


def signature(path):
    session = load(path)
    for value in session.get_inputs() + session.get_outputs():
        print(value.name, np.dtype(DTYPES[value.type]).name, ",".join(str(size) for size in value.shape))


def split(source_path, folder):
    model = onnx.load(source_path)
    for tensor in model.graph.initializer:   # only raw bytes can move to a file
        tensor.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(tensor), tensor.name))
    onnx.external_data_helper.convert_model_to_external_data(
        model, all_tensors_to_one_file=False, size_threshold=0, convert_attribute=False)
    onnx.save(model, folder + "/split.onnx")


if __name__ == "__main__":
    {"same": same, "signature": signature, "split": split}[sys.argv[1]](*sys.argv[2:])
