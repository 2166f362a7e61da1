import type { ScriptObject } from '../../src/ir/ivalue.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { ModuleSource } from './modules.ts'

/** Two blocks of convolution, batch norm and relu, written as PyTorch writes its own modules. */
const source = `
class Conv2d(Module):
  __parameters__ = ["weight", ]
  __buffers__ = []
  weight : Tensor
  bias : Optional[Tensor]
  training : bool
  def forward(self: __torch__.Conv2d, x: Tensor) -> Tensor:
    weight = self.weight
    bias = self.bias
    return torch.conv2d(x, weight, bias, [1, 1], [0, 0], [1, 1])
class BatchNorm2d(Module):
  __parameters__ = ["weight", "bias", ]
  __buffers__ = ["running_mean", "running_var", "num_batches_tracked", ]
  weight : Tensor
  bias : Tensor
  running_mean : Tensor
  running_var : Tensor
  num_batches_tracked : Tensor
  training : bool
  def forward(self: __torch__.BatchNorm2d, x: Tensor) -> Tensor:
    if torch.ne(torch.dim(x), 4):
      ops.prim.RaiseException("expected 4D input", "builtins.ValueError")
    else:
      pass
    training = self.training
    if training:
      num_batches_tracked = self.num_batches_tracked
      _0 = torch.add_(num_batches_tracked, 1)
    else:
      pass
    training0 = self.training
    running_mean = self.running_mean
    running_var = self.running_var
    weight = self.weight
    bias = self.bias
    return torch.batch_norm(x, weight, bias, running_mean, running_var, training0, 0.10000000000000001, 0.001, True)
class ConvBnRelu(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  conv : __torch__.Conv2d
  bn : __torch__.BatchNorm2d
  def forward(self: __torch__.ConvBnRelu, x: Tensor) -> Tensor:
    conv = self.conv
    bn = self.bn
    return torch.relu((bn).forward((conv).forward(x, ), ))
class Cascade(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  block1 : __torch__.ConvBnRelu
  block2 : __torch__.ConvBnRelu
  def forward(self: __torch__.Cascade, x: Tensor) -> Tensor:
    block1 = self.block1
    block2 = self.block2
    return (block2).forward((block1).forward(x, ), )
`

/** A row-major float tensor with elements that look random and are always the same. */
export function noise(sizes: readonly number[], seed = 1, low = -1, high = 1): Tensor {
  const tensor = Tensor.zeros('float32', sizes)
  let state = seed * 2654435761
  for (let i = 0; i < tensor.numel; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    tensor.data[i] = low + ((high - low) * state) / 2 ** 32
  }
  return tensor
}

/** `Cascade(3, 16, 32)` with 3×3 kernels; in training mode if asked for. */
export function cascade(training = false): ScriptObject {
  const modules = new ModuleSource(source)
  const block = (inputs: number, outputs: number): ScriptObject =>
    modules.make('ConvBnRelu', {
      training,
      conv: modules.make('Conv2d', { weight: noise([outputs, inputs, 3, 3], inputs), bias: null, training }),
      bn: modules.make('BatchNorm2d', {
        weight: noise([outputs], 2, 0.5, 1.5),
        bias: noise([outputs], 3),
        running_mean: noise([outputs], 4),
        running_var: noise([outputs], 5, 0.5, 1.5),
        num_batches_tracked: Tensor.from('int64', [], [0]),
        training,
      }),
    })
  return modules.make('Cascade', { training, block1: block(3, 16), block2: block(16, 32) })
}
