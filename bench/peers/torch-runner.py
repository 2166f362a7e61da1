"""A peer of bench/native.ts (its protocol: protocol.ts): libtorch.

    torch-runner.py freeze|ofi MODEL.pt INPUT.f32 SIZE THREADS
"""

import json
import resource
import sys
import time
import warnings

import numpy
import torch

warnings.filterwarnings("ignore")
mode, path, input_path, size, threads = sys.argv[1:]
torch.set_num_threads(int(threads))
size = int(size)


def reply(value):
    print(json.dumps(value), flush=True)


start = time.perf_counter()
model = torch.jit.load(path)
model = torch.jit.freeze(model) if mode == "freeze" else torch.jit.optimize_for_inference(model)
x = torch.from_numpy(numpy.fromfile(input_path, numpy.float32).reshape(1, 3, size, size))
with torch.no_grad():
    y = model(x)
    first = time.perf_counter() - start
    # The profiling executor compiles in the first runs.
    for _ in range(3):
        model(x)
    reply({"first": first * 1000, "version": f"torch {torch.__version__} {mode}"})
    for line in sys.stdin:
        command, *rest = line.split()
        if command == "run":
            times = []
            for _ in range(int(rest[0])):
                begin = time.perf_counter()
                y = model(x)
                times.append((time.perf_counter() - begin) * 1000)
            reply(times)
        else:
            y = y[0] if isinstance(y, tuple) else y
            (y.to_dense() if y.is_mkldnn else y).numpy().astype(numpy.float32).tofile(rest[0])
            reply({"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024})
