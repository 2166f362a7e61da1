"""The models that we are compared with libtorch on: seeded, with calibrated batch norms, scripted and traced."""

import glob
import json
import os

import numpy
import torch
from torch import nn

CALIBRATION_PASSES = 3
KINDS = ("scripted", "traced")

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "models.json")) as _file:
    # "all" begins with small and common ones, so that a zoo in the making is soon of use; "quick" has one or two of
    # each family. Not in there, for its 2.6 GB, but known: regnet_y_128gf.
    MODELS = json.load(_file)


class Conv2dBnRelu(nn.Module):
    def __init__(self, in_channels, out_channels, **options):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, bias=False, **options)
        self.bn = nn.BatchNorm2d(out_channels, eps=1e-3)

    def forward(self, x):
        return torch.relu(self.bn(self.conv(x)))


class ScriptedCascadedConv2dBnRelu(nn.Module):
    """The worked example: two convolutions, each with a batch norm and a relu behind it."""

    def __init__(self, in_channels, mid_channels, out_channels, **options):
        super().__init__()
        self.block1 = Conv2dBnRelu(in_channels, mid_channels, **options)
        self.block2 = Conv2dBnRelu(mid_channels, out_channels, **options)

    def forward(self, x):
        return self.block2(self.block1(x))


def input_size(name):
    """The edge of the input image: the smallest that every layer can take, within reason."""
    return {"inception_v3": 96, "cascade": 32}.get(name, 64)


def calibrate(model, size):
    """Batch norms as training leaves them: statistics of what flows through them, and weights and biases that differ.

    With weights of 1 and biases of 0, as they are made, deep networks amplify the last bits so much (Yang et al. 2019,
    A mean field theory of batch normalization) that libtorch itself is off by 4e-5 of its own results in float64
    (resnet50), and nothing could be told from its numbers. Ends in eval mode.
    """
    norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    model.train()
    with torch.no_grad():
        for norm in norms:
            norm.weight.uniform_(0.25, 0.75)
            norm.bias.uniform_(0, 1)
        for _ in range(CALIBRATION_PASSES if norms else 0):
            model(torch.randn(4, 3, size, size))
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
    return model.eval()


def build(name):
    torch.manual_seed(20)
    if name == "cascade":
        return calibrate(ScriptedCascadedConv2dBnRelu(3, 16, 32, kernel_size=3, stride=1), input_size(name))
    import torchvision

    options = {"init_weights": True} if name in ("googlenet", "inception_v3") else {}
    model = getattr(torchvision.models, name)(weights=None, **options)
    # Inception's auxiliary head, which training runs too, takes no smaller images than these.
    return calibrate(model, 299 if name == "inception_v3" else input_size(name))


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


def graphs_of(module, inlined=True):
    """The graph of every method of every class of submodules, by path and method (`features.0:forward`)."""
    graphs = {}
    seen = set()
    for path, submodule in module.named_modules():
        kind = submodule._c._type().str()
        if kind in seen:
            continue
        seen.add(kind)
        for method in submodule._c._method_names():
            function = submodule._c._get_method(method)
            graphs[f"{path}:{method}"] = str(function.inlined_graph if inlined else function.graph)
    return graphs


def make(name, folder):
    """Writes NAME.input.npz, NAME.exact.npz (what the model gives in float64) and, for both kinds,
    NAME.KIND.{pt,output.npz,graphs.json,frozen.ir}."""
    model = build(name)
    torch.manual_seed(21)
    size = input_size(name)
    example = torch.randn(1, 3, size, size)
    # Threads change the order of sums; everything that is compared is computed by one.
    torch.set_num_threads(1)
    final = os.path.join(folder, name)
    os.makedirs(os.path.join(folder, "new"), exist_ok=True)
    base = os.path.join(folder, "new", name)
    numpy.savez(f"{base}.input.npz", **{"0": example.numpy()})
    with torch.no_grad():
        torch.jit.script(model).save(f"{base}.scripted.pt")
        torch.jit.trace(model, example).save(f"{base}.traced.pt")
        numpy.savez(f"{base}.exact.npz", **outputs_of(model.double()(example.double())))
        del model
        for kind in KINDS:
            loaded = torch.jit.load(f"{base}.{kind}.pt")
            numpy.savez(f"{base}.{kind}.output.npz", **outputs_of(loaded(example)))
            with open(f"{base}.{kind}.graphs.json", "w") as file:
                json.dump(graphs_of(loaded), file)
            with open(f"{base}.{kind}.frozen.ir", "w") as file:
                file.write(str(torch.jit.freeze(loaded, optimize_numerics=False).graph))
    for made in glob.glob(f"{glob.escape(base)}.*"):
        os.replace(made, final + made[len(base) :])
    return final
