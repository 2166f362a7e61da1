"""Writes the graphs of this folder: /usr/bin/python3 test/ir/graphs/make-graphs.py (libtorch 1.13)."""
import enum
import json
import os
import pathlib
from typing import Any, Dict, List, NamedTuple, Optional, Tuple, Union

import torch
import torchvision
from torch import Tensor, nn

here = pathlib.Path(__file__).parent
os.chdir(here)


class Point(NamedTuple):
    x: Tensor
    y: int


class Color(enum.Enum):
    RED = 1
    BLUE = 2


@torch.jit.interface
class Interface:
    def one(self, x: Tensor) -> Tensor:
        pass


@torch.jit.script
class Plain:
    def __init__(self, x: int):
        self.x = x


@torch.jit.script
def types(a: Dict[str, Point], b: Optional[Point], c: Union[Point, int], d: List[torch.jit.Future[Tensor]],
          e: Dict[str, torch.jit.Future[Tensor]], f: Dict[str, List[Optional[int]]], g: Dict[str, Tuple[int, Point]],
          h: Union[List[int], Dict[str, int]], i: Plain, j: List[Plain], k: Interface, l: Optional[Interface],
          m: Dict[str, Color], n: Tuple[()], o: Tuple[int], p: Optional[List[Optional[Tensor]]],
          q: Union[torch.jit.Future[int], str], r: Tuple[Point, Tuple[Point]], s: Any, t: torch.device, u: None,
          v: complex, w: Union[int, float, complex], x: Dict[str, Tuple[()]]):
    return Color.RED, torch.float, Plain(1)


@torch.jit.script
def helper(x):
    return x + 1


class Control(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 1)
        self.layers = nn.ModuleList([nn.Linear(2, 2)])

    def forward(self, x, n: int):
        future = torch.jit.fork(helper, x)
        i = 0
        while i < n:
            x = x + 1
            i += 1
            if x.sum() > 3:
                break
        print(x)
        if n > 3:
            raise ValueError("bad %d" % n)
        assert n < 7, "message"
        for layer in self.layers:
            x = layer(x)
        return self.conv(x), torch.jit.wait(future)


@torch.jit.script
def refine(x: Any):
    if isinstance(x, (int, List[str])):
        return 1
    elif isinstance(x, Tensor):
        return 3
    return 2


@torch.jit.script
def containers(x):
    tensors: List[Tensor] = []
    words: Dict[str, int] = {'a': 1, 'b': 2}
    empty: List[int] = []
    nested = [[1, 2], [3]]
    mixed = (1, [2.0, 0.1, 1e20, 1e10], 'x"\n')
    optional: Optional[int] = None
    optionals: List[Optional[int]] = [1, None]
    floats: Dict[str, float] = {}
    return tensors, words, empty, nested, mixed, optional, optionals, floats, (1,), [True, False], 1.5 - 2j


def constant(value):
    graph = torch._C.Graph()
    graph.insertConstant(value)
    return str(graph.findNode('prim::Constant')).strip('\n').split(' : ', 1)[1]


def constants():
    random = torch.Generator().manual_seed(0)
    sample = lambda *sizes: torch.randn(*sizes, generator=random)
    values = [1, -5, 2 ** 62, -2 ** 63, 1.0, 0.1, -0.0, 1e-5, 1e20, 1e300, 5e-324, 2.0 ** -25, float('inf'), float('-inf'),
              float('nan'), 123456789.125, 1e10, 1e16, 1e17, True, False, None, 'a"b\'c\\d\n\t\r\a\b\f\v\0\x01\x7f', 'é€😀',
              [1, 2], [1.0, 2.5, 1e12], [True], ['a', 'b'], (1,), (1, 2.0, 'x', None), (), torch.device('cuda', 1),
              1 + 2j, 1.5 - 0.5j, complex(0, 1e-5), [1j]]
    tensors = [torch.tensor(0), torch.tensor([1.5]), torch.tensor(True), torch.tensor(0.1), torch.tensor(1e-8),
               torch.tensor(1234567.), torch.tensor(1 + 2j), torch.zeros(0), torch.zeros(0, 3), torch.tensor([1., 2.]),
               torch.tensor([[1, 2], [3, 4]]), torch.zeros(2, 2, 2), torch.tensor([float('nan'), 1.]), torch.zeros(10),
               torch.zeros(11), torch.tensor([100000., 2.5]), sample(3), sample(5).half(), sample(5).bfloat16(),
               sample(3, 2).t().contiguous().t(), torch.tensor(1., dtype=torch.float16)]
    body = ''.join(f'  %{i} : {constant(value)}\n' for i, value in enumerate(values + tensors))
    return f'graph():\n{body}  return ()\n'


def tensors():
    """Tensors with their elements and their text, which rounds them."""
    random = torch.Generator().manual_seed(1)
    cases = []
    for dtype in [torch.float32, torch.float64, torch.int64, torch.bool, torch.uint8, torch.float16, torch.bfloat16]:
        for sizes in [[], [1], [3], [10], [2, 2], [1, 10], [5, 2], [2, 2, 2], [2, 1, 3], [2, 1, 2, 2], [2, 0]]:
            for power in [0, 6, -5]:
                spread = torch.randint(-power // 3 - 1, power // 3 + 2, sizes, generator=random) if power > 0 else 0.
                tensor = torch.randn(sizes, generator=random, dtype=torch.float64) * 10. ** (power + spread)
                tensor = tensor.abs().clamp(0, 255).to(dtype) if dtype == torch.uint8 else tensor.to(dtype)
                text = constant(tensor)
                cases.append({
                    'dtype': str(dtype)[6:],
                    'sizes': sizes,
                    'elements': [str(element) for element in tensor.double().flatten().tolist()],
                    'text': text[text.index('[value=') + 7:text.rindex(']()')],
                })
    return cases


def write(name, graph):
    (here / f'{name}.txt').write_text(str(graph).replace(f'{here}/', ''))


def main():
    control = torch.jit.script(Control())
    torch._C._jit_pass_constant_propagation(containers.graph)
    write('types', types.graph)
    write('control', control.graph)
    write('control-inlined', control.inlined_graph)
    write('refine', refine.graph)
    write('containers', containers.graph)
    write('constants', constants())
    lines = ',\n'.join(json.dumps(case) for case in tensors())
    (here / 'tensors.json').write_text(f'[\n{lines}\n]\n')
    torch.manual_seed(0)
    small = torchvision.models.squeezenet1_1(weights=None).eval()
    frozen = torch.jit.freeze(torch.jit.script(small))
    write('squeezenet-frozen', frozen.graph)


main()
