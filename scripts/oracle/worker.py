"""The oracle: real PyTorch, answering one JSON request a line on stdin with one JSON answer a line on stdout.

Requests:
  {"do": "make", "model": NAME, "folder": DIR}
      Makes a model of the zoo (zoo.py) with its input, outputs and graphs. Needs torchvision.
  {"do": "run", "model": FILE, "input": FILE.npz, "output": FILE.npz}
      Runs a TorchScript file that somebody wrote; torch alone is enough. Inputs are `0`, `1`, … of the .npz.
  {"do": "calls", "model": FILE, "name": NAME}
      Runs the calls of a model of test/fixtures/recorded on a file that somebody wrote of it.
      Answers {"differences": […]} from what was recorded.
  {"do": "sequence", "model": FILE, "methods": "forward,other", "input": FILE.npz, "output": FILE.npz}
      Calls methods of a random program (test/random-graphs) one after the other: call i with `x{i}`, `m{i}`, i + 1 and
      whether i is even. Writes results, what has become of the tensors, and `error` where a call raised.
  {"do": "graphs", "model": FILE}
      The text of each method's graph, {"graph": {PATH:METHOD: TEXT}, "inlined": {…}}.
  {"do": "version"}
"""

import json
import math
import os
import pathlib
import sys
import traceback
import warnings

import numpy
import torch
import zoo

warnings.filterwarnings("ignore")
REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
RECORDED = REPOSITORY / "test" / "fixtures" / "recorded"
sys.path.append(str(REPOSITORY / "scripts" / "fixtures" / "recorded_models"))
threads = torch.get_num_threads()


def make(request):
    torch.set_num_threads(threads)
    return {"base": zoo.make(request["model"], request["folder"])}


def run(request):
    torch.set_num_threads(1)
    module = torch.jit.load(request["model"])
    arrays = numpy.load(request["input"])
    inputs = [torch.from_numpy(arrays[str(i)]) for i in range(len(arrays.files))]
    with torch.no_grad():
        result = getattr(module, request.get("method", "forward"))(*inputs)
        numpy.savez(request["output"], **zoo.outputs_of(result))
    return {}


def difference(recorded, found):
    """The largest relative to the largest recorded number; infinite where shapes, dtypes or NaNs differ."""
    if recorded.shape != found.shape or recorded.dtype != found.dtype:
        return math.inf
    recorded, found = recorded.astype(numpy.float64), found.astype(numpy.float64)
    if recorded.size == 0 or numpy.array_equal(recorded, found, equal_nan=True):
        return 0
    error = numpy.max(numpy.abs(recorded - found)) / numpy.max(numpy.abs(recorded))
    return math.inf if math.isnan(error) else error


def call_differences(module, call):
    inputs = numpy.load(RECORDED / call["inputs"]) if "inputs" in call else {}
    arguments = [torch.from_numpy(inputs[a["npz"]]) if isinstance(a, dict) else a for a in call["arguments"]]
    try:
        with torch.no_grad():
            result = getattr(module, call["method"])(*arguments)
    except Exception as error:
        return [] if "error" in call else [f"{call['method']} failed: {error}"]
    if "error" in call:
        return [f"{call['method']} did not fail"]
    recorded = dict(numpy.load(RECORDED / call["outputs"])) if "outputs" in call else {}
    found = zoo.outputs_of(result)
    if recorded.keys() != found.keys():
        return [f"{call['method']} gives {list(found)} and not {list(recorded)}"]
    errors = {path: difference(recorded[path], found[path]) for path in recorded}
    return [f"{call['method']} {path} is off by {error}" for path, error in errors.items() if error > 1e-5]


def calls(request):
    import custom_operator  # registers its operator

    manifest = json.loads((RECORDED / "manifest.json").read_text())
    module = torch.jit.load(request["model"])
    recorded = manifest["models"][request["name"]]["calls"]
    return {"differences": [text for call in recorded for text in call_differences(module, call)]}


def sequence(request):
    torch.set_num_threads(1)
    module = torch.jit.load(request["model"])
    arrays = numpy.load(request["input"])
    found = {}
    for i, method in enumerate(request["methods"].split(",")):
        tensors = [torch.from_numpy(arrays[f"{name}{i}"]) for name in "xm"]
        try:
            with torch.no_grad():
                outputs = zoo.outputs_of(getattr(module, method)(*tensors, i + 1, i % 2 == 0), f"call{i}")
        except Exception as error:
            if "too large" not in str(error):
                raise
            outputs = {f"call{i}.error": numpy.array(True)}
        outputs.update({f"call{i}.{name}": tensor.numpy() for name, tensor in zip("xm", tensors)})
        found.update({path: array.copy() for path, array in outputs.items()})
    numpy.savez(request["output"], **found)
    return {}


def graphs(request):
    module = torch.jit.load(request["model"])
    return {"graph": zoo.graphs_of(module, inlined=False), "inlined": zoo.graphs_of(module)}


def version(_):
    return {"torch": torch.__version__}


ANSWERS = {"make": make, "run": run, "calls": calls, "sequence": sequence, "graphs": graphs, "version": version}


def main():
    try:
        import torchvision  # registers its operators, where it is there
    except ImportError:
        pass
    # The protocol has stdout to itself; whatever prints goes to stderr.
    protocol = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        try:
            request = json.loads(line)
            result = {"ok": ANSWERS[request["do"]](request)}
        except Exception as error:
            traceback.print_exc()
            result = {"error": f"{type(error).__name__}: {error}"}
        protocol.write(json.dumps(result) + "\n")
        protocol.flush()


main()
