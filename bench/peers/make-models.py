"""Builds the models of bench/native.ts: NAME.pt (scripted), NAME.onnx, NAME.npy and .f32 (input), NAME.expected.f32 (eager's answer).

    /usr/bin/python3 bench/peers/make-models.py FOLDER NAME…
"""

import os
import sys
import warnings

import numpy
import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../scripts/oracle"))
import zoo  # noqa: E402

warnings.filterwarnings("ignore")


def make(folder, name):
    path = os.path.join(folder, name)
    if os.path.exists(path + ".expected.f32"):
        return
    model = zoo.build(name)
    torch.manual_seed(7)
    size = 299 if name == "inception_v3" else 224
    x = torch.randn(1, 3, size, size)
    if name == "vit_b_16":
        # It is made with a head of zeros, which would answer zeros to everything.
        torch.nn.init.normal_(model.heads.head.weight, std=0.02)
    torch.jit.script(model).save(path + ".pt")
    # Without gradients attention takes a fast path, an operator that ONNX does not have.
    with torch.enable_grad():
        torch.onnx.export(model, x, path + ".onnx", opset_version=14)
    with torch.no_grad():
        y = model(x)
    numpy.save(path + ".npy", x.numpy())
    x.numpy().tofile(path + ".f32")
    y.numpy().astype(numpy.float32).tofile(path + ".expected.f32")


for name in sys.argv[2:]:
    make(sys.argv[1], name)
    print(name, flush=True)
