import type { Tensor } from '../../tensor/tensor.ts'
import type { TensorType } from '../../ir/types.ts'

/** Everything that is known of a tensor, as `TensorType::create(tensor)`. */
export function completeTensorType(tensor: Tensor): TensorType {
  return {
    kind: 'Tensor',
    dtype: tensor.dtype,
    sizes: tensor.sizes,
    strides: tensor.strides,
    requiresGrad: tensor.requiresGrad,
    device: 'cpu',
  }
}
