"""The oracle: real PyTorch, answering one JSON request a line on stdin with one JSON answer a line on stdout.

Requests:
  {"do": "make", "model": NAME, "folder": DIR}
      Builds a torchvision classifier with seeded weights and calibrated batch norms and saves it scripted and
      traced, with an input, the outputs and the inlined graph of every method. Needs torchvision.
  {"do": "run", "model": FILE, "input": FILE.npz, "output": FILE.npz}
      Runs a TorchScript file that somebody wrote; torch alone is enough.
  {"do": "version"}
"""

import json
import os
import sys
import traceback
import warnings

import numpy
import torch

warnings.filterwarnings("ignore")
torch.set_num_threads(int(os.environ.get("ORACLE_THREADS", "2")))

CALIBRATION_PASSES = 3


def input_size(name):
    """The smallest that every layer of the model can take, within reason."""
    return 96 if name == "inception_v3" else 64


def calibrate(model, size):
    """Statistics of random activations, so that a random network stays in a sane range."""
    norms = [m for m in model.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    model.train()
    with torch.no_grad():
        for _ in range(CALIBRATION_PASSES if norms else 0):
            model(torch.randn(4, 3, size, size))
    for norm in norms:
        norm.momentum = 0.1
    model.eval()


def build(name):
    import torchvision

    torch.manual_seed(20)
    options = {"init_weights": True} if name in ("googlenet", "inception_v3") else {}
    model = getattr(torchvision.models, name)(weights=None, **options)
    calibrate(model, max(input_size(name), 64))
    return model


def outputs_of(result, path="output"):
    """Tensors by path, as `permafrost run -o` writes them."""
    if isinstance(result, torch.Tensor):
        return {path: result.detach().numpy()}
    if result is None or isinstance(result, str):
        return {}
    if isinstance(result, dict):
        items = result.items()
    elif hasattr(result, "_fields"):
        items = zip(result._fields, result)
    elif isinstance(result, (list, tuple)):
        items = enumerate(result)
    else:
        return {path: numpy.array(result)}
    flat = {}
    for key, value in items:
        flat.update(outputs_of(value, f"{path}.{key}"))
    return flat


def inlined_graphs(module):
    """The inlined graph of every method of every class of submodules, by path and method."""
    graphs = {}
    seen = set()
    for path, submodule in module.named_modules():
        kind = submodule._c._type().str()
        if kind in seen:
            continue
        seen.add(kind)
        for method in submodule._c._method_names():
            graph = submodule._c._get_method(method).inlined_graph
            graphs[f"{path}:{method}"] = str(graph)
    return graphs


def make(request):
    name, folder = request["model"], request["folder"]
    size = input_size(name)
    model = build(name)
    torch.manual_seed(21)
    example = torch.randn(1, 3, size, size)
    base = os.path.join(folder, name)
    numpy.savez(f"{base}.input.npz", **{"0": example.numpy()})
    with torch.no_grad():
        torch.jit.script(model).save(f"{base}.scripted.pt")
        torch.jit.trace(model, example).save(f"{base}.traced.pt")
        for kind in ("scripted", "traced"):
            loaded = torch.jit.load(f"{base}.{kind}.pt")
            numpy.savez(f"{base}.{kind}.output.npz", **outputs_of(loaded(example)))
            with open(f"{base}.{kind}.graphs.json", "w") as file:
                json.dump(inlined_graphs(loaded), file)
    return {"base": base}


def run(request):
    module = torch.jit.load(request["model"])
    module.eval()
    arrays = numpy.load(request["input"])
    inputs = [torch.from_numpy(arrays[str(i)]) for i in range(len(arrays.files))]
    with torch.no_grad():
        numpy.savez(request["output"], **outputs_of(module(*inputs)))
    return {}


def answer(request):
    if request["do"] == "version":
        return {"torch": torch.__version__}
    return {"make": make, "run": run}[request["do"]](request)


def main():
    if len(sys.argv) > 1 and sys.argv[1] == "--torchvision-ops":
        import torchvision  # registers its operators
    # The protocol has stdout to itself; whatever prints goes to stderr.
    protocol = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        try:
            result = {"ok": answer(json.loads(line))}
        except Exception as error:
            traceback.print_exc()
            result = {"error": f"{type(error).__name__}: {error}"}
        protocol.write(json.dumps(result) + "\n")
        protocol.flush()


main()
