"""The oracle: real PyTorch, answering one JSON request a line on stdin with one JSON answer a line on stdout.

Requests:
  {"do": "make", "model": NAME, "folder": DIR}
      Makes a model of the zoo (zoo.py) with its input, outputs and graphs. Needs torchvision.
  {"do": "run", "model": FILE, "input": FILE.npz, "output": FILE.npz}
      Runs a TorchScript file that somebody wrote; torch alone is enough. Inputs are `0`, `1`, … of the .npz.
  {"do": "graphs", "model": FILE}
      The text of each method's graph, {"graph": {PATH:METHOD: TEXT}, "inlined": {…}}.
  {"do": "version"}
"""

import json
import os
import sys
import traceback
import warnings

import numpy
import torch
import zoo

warnings.filterwarnings("ignore")
torch.set_num_threads(int(os.environ.get("ORACLE_THREADS", "2")))


def make(request):
    return {"base": zoo.make(request["model"], request["folder"])}


def run(request):
    module = torch.jit.load(request["model"])
    arrays = numpy.load(request["input"])
    inputs = [torch.from_numpy(arrays[str(i)]) for i in range(len(arrays.files))]
    with torch.no_grad():
        result = getattr(module, request.get("method", "forward"))(*inputs)
        numpy.savez(request["output"], **zoo.outputs_of(result))
    return {}


def graphs(request):
    module = torch.jit.load(request["model"])
    return {"graph": zoo.graphs_of(module, inlined=False), "inlined": zoo.graphs_of(module)}


def version(_):
    return {"torch": torch.__version__}


ANSWERS = {"make": make, "run": run, "graphs": graphs, "version": version}


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
