/** The twin of `Network` in test/goldens/make.py: all that a graph can contain besides a plain chain of layers. */

import { add, concat, linear, maxPool2d, mean, nn, relu, type Tensor, tanh } from "../../src/index.js";

export class Network extends nn.Module {
  conv1 = new nn.Conv2d(2, 8, 3, { stride: [2, 1], padding: 1 });
  bn1 = new nn.BatchNorm2d(8);
  conv2 = new nn.Conv2d(8, 8, 3, { padding: 2, dilation: 2, groups: 2 });
  bn2 = new nn.BatchNorm2d(8);
  mix = new nn.Conv2d(16, 6, 1);
  tied = new nn.Linear(6, 6, { bias: false });
  classes = new nn.Linear(6, 4);
  value = new nn.Linear(6, 1);

  override forward(x: Tensor): [scores: Tensor, guess: Tensor] {
    const entry = relu(this.bn1(this.conv1(x)));
    const residual = add(entry, relu(this.bn2(this.conv2(entry)))) as Tensor;
    const joined = concat([residual, maxPool2d(residual, 3, { stride: 1, padding: 1 })], 1);
    const pooled = mean(tanh(this.mix(joined)), [2, 3]);
    const once = tanh(this.tied(pooled));
    const twice = linear(once, this.tied.weight);
    return [this.classes(twice), this.value(twice)];
  }
}
