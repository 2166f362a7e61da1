"""One model of the survey (bench/survey.ts): what torch.jit.freeze makes of it, and whether our frozen file does the same.

    survey.py make NAME FOLDER     builds, scripts, saves NAME.pt; freezes; answers on seeded inputs -> JSON on stdout
    survey.py check NAME FOLDER    runs NAME.frozen.pt on the same inputs and compares -> JSON on stdout
"""

import collections
import json
import os
import sys
import time
import warnings

import torch
import torchvision

warnings.filterwarnings("ignore")
torch.set_num_threads(1)

models = torchvision.models
# Random detectors are sure of nothing: without thresholds they would find nothing.
THRESHOLDS = {"fasterrcnn": "box_score_thresh", "maskrcnn": "box_score_thresh", "keypointrcnn": "box_score_thresh"}
SINGLE_STAGE = {"retinanet": "score_thresh", "fcos": "score_thresh", "ssd300": "score_thresh", "ssdlite320": "score_thresh"}


def family(name):
    for prefix in list(THRESHOLDS) + list(SINGLE_STAGE):
        if name.startswith(prefix):
            return prefix
    return None


def build(name):
    torch.manual_seed(20)
    prefix = family(name)
    if prefix:
        options = {THRESHOLDS.get(prefix) or SINGLE_STAGE[prefix]: 0.0}
        model = getattr(models.detection, name)(weights=None, weights_backbone=None, **options)
    elif name.startswith(("deeplab", "fcn", "lraspp")):
        model = getattr(models.segmentation, name)(weights=None, weights_backbone=None)
    elif name.startswith(("mc3", "r3d", "r2plus1d", "s3d", "mvit")):
        model = getattr(models.video, name)(weights=None)
    elif name.startswith("raft"):
        model = getattr(models.optical_flow, name)(weights=None)
    else:
        options = {"init_weights": True} if name in ("googlenet", "inception_v3") else {}
        model = getattr(models, name)(weights=None, **options)
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.weight.data.uniform_(0.25, 0.75)
            module.bias.data.uniform_(0, 1)
            module.running_mean.uniform_(-0.5, 0.5)
            module.running_var.uniform_(0.5, 1.5)
    return model.eval()


def inputs(name):
    torch.manual_seed(21)
    if family(name):
        size = 320 if name.startswith(("ssd", "fasterrcnn_mobilenet")) else 256
        return ([torch.rand(3, size, size)],)
    if name.startswith(("mc3", "r3d", "r2plus1d")):
        return (torch.randn(1, 3, 8, 56, 56),)
    if name.startswith("s3d"):
        return (torch.randn(1, 3, 14, 224, 224),)
    if name.startswith("mvit"):
        return (torch.randn(1, 3, 16, 224, 224),)
    if name.startswith("raft"):
        return (torch.randn(1, 3, 128, 128), torch.randn(1, 3, 128, 128), 2)
    if name.startswith(("vit", "maxvit", "swin")):
        return (torch.randn(1, 3, 224, 224),)
    if name == "inception_v3":
        return (torch.randn(1, 3, 96, 96),)
    return (torch.randn(1, 3, 64, 64),)


def histogram(graph):
    counts = collections.Counter()

    def visit(block):
        for node in block.nodes():
            counts[node.kind()] += 1
            for inner in node.blocks():
                visit(inner)

    visit(graph)
    return dict(counts)


def tensors(value):
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        return [t for key in sorted(value) for t in tensors(value[key])]
    return [t for item in value for t in tensors(item)] if isinstance(value, (list, tuple)) else []


def answer(model, name):
    with torch.no_grad():
        # The profiling executor would compile for these inputs: what is compared are graphs as they are.
        with torch.jit.optimized_execution(False):
            return tensors(model(*inputs(name)))


def make(name, folder):
    path = os.path.join(folder, name + ".pt")
    scripted = torch.jit.script(build(name))
    scripted.save(path)
    loaded = torch.jit.load(path)
    start = time.perf_counter()
    frozen = torch.jit.freeze(loaded)
    seconds = time.perf_counter() - start
    outputs = answer(scripted, name)
    torch.save(outputs, os.path.join(folder, name + ".outputs"))
    # The mistake that libtorch's own freezing makes: what ours is to be seen beside.
    return {
        "nodes": histogram(frozen.graph),
        "seconds": seconds,
        "elements": [t.numel() for t in outputs],
        "error": compare(answer(frozen, name), outputs),
    }


def compare(found, wanted):
    if len(found) != len(wanted):
        return f"{len(found)} tensors instead of {len(wanted)}"
    worst = 0.0
    for a, b in zip(found, wanted):
        if a.shape != b.shape:
            return f"sizes {list(a.shape)} instead of {list(b.shape)}"
        if b.numel() and not torch.equal(a, b):
            scale = float(b.double().abs().max()) or 1.0
            worst = max(worst, float((a.double() - b.double()).abs().max()) / scale)
    return worst


def check(name, folder):
    frozen = torch.jit.load(os.path.join(folder, name + ".frozen.pt"))
    wanted = torch.load(os.path.join(folder, name + ".outputs"))
    return {"error": compare(answer(frozen, name), wanted)}


if __name__ == "__main__":
    print(json.dumps({"make": make, "check": check}[sys.argv[1]](*sys.argv[2:])))
