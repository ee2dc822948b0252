"""A network in another library, for benchmarks/networks.py: runs it as often as a line of standard input says, and answers the median.

    network_peer.py onnxruntime|ncnn|litert MODEL THREADS PRECISION INPUTS.npz OUTPUTS.npz

THREADS 0 and PRECISION "default": as the library comes. The outputs of INPUTS are written first, so that who reads the times sees
whether the same was computed; then "ready" is said. MODEL is an .onnx or .tflite file, for ncnn the stem of the pair of files that
pnnx wrote. Runs in the environment of `tools/setup.sh peers`, ONNX Runtime also in the tests' own.
"""

import pathlib
import statistics
import sys
import time

import numpy as np


def with_onnxruntime(model: str, threads: int, _precision: str, inputs: dict):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, inputs)


def with_ncnn(model: str, threads: int, precision: str, inputs: dict):
    import ncnn

    net = ncnn.Net()
    if threads:
        net.opt.num_threads = threads
    if precision == "bfloat16":
        net.opt.use_bf16_storage = True
        net.opt.use_bf16_packed = True
    if net.load_param(model + ".ncnn.param") or net.load_model(model + ".ncnn.bin"):
        raise SystemExit("ncnn does not load the network")
    # An image without its batch dimension.
    held = {name: np.ascontiguousarray(value[0] if value.ndim == 4 and value.shape[0] == 1 else value) for name, value in inputs.items()}
    blobs = dict(zip(net.input_names(), held.values()))

    def run():
        with net.create_extractor() as extractor:
            for name, value in blobs.items():
                extractor.input(name, ncnn.Mat(value))
            return [np.array(extractor.extract(name)[1]) for name in net.output_names()]
    return run


def with_litert(model: str, threads: int, _precision: str, inputs: dict):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=model, num_threads=threads or None)
    interpreter.allocate_tensors()
    [place] = interpreter.get_input_details()
    [value] = inputs.values()
    # The .onnx file has the image's channels first.
    tensor = np.ascontiguousarray(value if list(value.shape) == list(place["shape"]) else value.transpose(0, 2, 3, 1))
    outputs = [each["index"] for each in interpreter.get_output_details()]

    def run():
        interpreter.set_tensor(place["index"], tensor)
        interpreter.invoke()
        return [interpreter.get_tensor(index) for index in outputs]
    return run


def main() -> None:
    library, model, threads, precision, inputs, outputs = sys.argv[1:]
    with np.load(inputs) as file:
        held = dict(file)
    run = {"onnxruntime": with_onnxruntime, "ncnn": with_ncnn, "litert": with_litert}[library](model, int(threads), precision, held)
    np.savez(pathlib.Path(outputs), *run())
    print("ready", flush=True)
    for line in sys.stdin:
        spans = []
        for _ in range(int(line)):
            begin = time.perf_counter()
            run()
            spans.append((time.perf_counter() - begin) * 1e3)
        print(statistics.median(spans), flush=True)


main()
