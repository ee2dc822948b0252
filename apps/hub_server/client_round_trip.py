"""Uploads a model of several parts and a dataset with the official client and compares what comes back.

Run by hub_server_test.cpp with QAIHUB_CLIENT_INI set; the argument is a folder to write in.
"""

import pathlib
import sys

import numpy as np
import qai_hub

folder = pathlib.Path(sys.argv[1])
sent = folder / "net.onnx"
sent.write_bytes(np.random.default_rng(1).bytes(70 * 1024 * 1024))
model = qai_hub.upload_model(str(sent), name="a name with ü and a .dot")
received = pathlib.Path(model.download(str(folder / "back.onnx")))
assert received.read_bytes() == sent.read_bytes(), "the model changed on its way"

entries = {"x": [np.arange(12, dtype=np.float32).reshape(3, 4), np.ones((3, 4), np.float32)],
           "mask": [np.array([True, False]), np.array([False, False])]}
dataset = qai_hub.upload_dataset(entries, name="entries")
back = qai_hub.get_dataset(dataset.dataset_id).download()
assert list(back) == list(entries), list(back)
for name, arrays in entries.items():
    for a, b in zip(arrays, back[name], strict=True):
        np.testing.assert_array_equal(a, b)

assert [m.model_id for m in qai_hub.get_models()] == [model.model_id]
assert [d.dataset_id for d in qai_hub.get_datasets()] == [dataset.dataset_id]
assert qai_hub.get_job_summaries() == []
try:
    qai_hub.get_job("jnosuchjob")
except qai_hub.UserError as error:
    assert "jnosuchjob" in str(error)
else:
    raise AssertionError("an unknown job was found")
