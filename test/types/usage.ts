/** What people write with the library, without a cast; and their mistakes, which do not compile (see shapes.ts). */

import {
  add,
  DataLoader,
  digits,
  elu,
  evaluateModel,
  fit,
  flatten,
  mean,
  models,
  nn,
  normalizePixels,
  predict,
  type Reading,
  relu,
  SGD,
  setDevice,
  softmax,
  type Tensor,
  Trainer,
  tanh,
  tensor,
} from "../../src/index.js";

/** A list of layers that give different numbers of channels. */
class Stack extends nn.Module {
  convolutions = [new nn.Conv2d(1, 2, 3), new nn.Conv2d(2, 4, 3)];
  norms = [new nn.BatchNorm2d(2), new nn.BatchNorm2d(4)];
  pool = new nn.MaxPool2d(2);
  drop = new nn.Dropout(0.5);
  last = new nn.Conv2d(4, 8, 3);

  override forward(x: Tensor): Tensor {
    for (const [i, convolution] of this.convolutions.entries()) x = relu(this.norms[i](convolution(x)));
    for (const convolution of this.convolutions) x = this.pool(this.drop(tanh(convolution(x)).mul(2)));
    for (const convolution of this.convolutions) x = this.last(add(convolution(x), 1)).add(convolution(x).relu());
    for (const convolution of this.convolutions) x = elu(softmax(convolution(x), 1)).mul(convolution(x).sum());
    return softmax(x);
  }
}

/** Fields of every kind, a residual connection, and variables that are assigned again. */
class Net extends nn.Module {
  conv = new nn.Conv2d(1, 4, 3, { padding: "same" });
  norm = new nn.BatchNorm2d(4);
  blocks = [new nn.Linear(8, 8), new nn.ReLU()];
  gate: nn.Linear | null = null;
  head = new nn.Linear(8, 10);

  override forward(x: Tensor): Tensor {
    const entry = relu(this.norm(this.conv(x)));
    x = flatten(add(entry, tanh(entry)));
    for (const block of this.blocks) x = block(x);
    if (this.gate !== null) x = this.gate(x);
    return this.head(x);
  }
}

class TwoHeads extends nn.Module {
  body = new Net();

  override forward(x: Tensor, mask?: Tensor): [scores: Tensor, guess: Tensor] {
    const scores = this.body(mask === undefined ? x : x.mul(mask));
    return [scores, mean(scores, 1)];
  }
}

export async function training(signal: AbortSignal): Promise<void> {
  const train = await digits({ split: "train", size: 100 });
  const net = new Net();
  const optimizer = new SGD(net.parameters(), { lr: 0.1 });
  // A network of one's own goes wherever a layer or a model does.
  const whole = new nn.Sequential(net, new nn.Dropout(0.1), new nn.Flatten());
  await fit(whole, train, { optimizer, epochs: 1, signal });
  await fit(models.create("lenet5"), train, { optimizer, epochs: 1 });
  await fit(net, train, { optimizer, epochs: 1, callbacks: { onEpoch: ({ epoch }) => console.log(epoch) } });
  await fit(net, train, {
    optimizer,
    epochs: 1,
    callbacks: {
      onBatch: ({ batch }) => console.log(batch),
      onEpoch: ({ validation }) => ((validation?.accuracy ?? 0) > 0.99 ? "stop" : undefined),
    },
  });
  const trainer = new Trainer(net, { optimizer, loss: (logits, labels) => logits.mean().mul(labels.to("float32")) });
  await trainer.fit(train, { epochs: 1, callbacks: { onEpoch: async () => console.log(await trainer.state()) } });
  const { accuracy }: { accuracy: number } = await evaluateModel(net, train);
  for await (const { images, labels, shape } of new DataLoader(train)) {
    const logits = net(normalizePixels(tensor(images, shape)));
    void [logits, tensor(labels), accuracy];
  }
  const [scores, guess]: [Tensor, Tensor] = new TwoHeads()(tensor([1]));
  const stacked: Tensor = new Stack()(tensor([1]));
  void [scores, guess, stacked, predict];
}

export async function forgottenAwaits(loss: Tensor, losses: number[]): Promise<void> {
  const reading: Reading<number> = loss.item();
  const value: number = await reading;
  losses.push(value);
  // @ts-expect-error: a promise is no number
  const number: number = loss.item();
  // @ts-expect-error: nothing can be added to a promise
  loss.item() + 1;
  // @ts-expect-error: a promise has no decimals
  loss.item().toFixed(2);
  // @ts-expect-error: a promise is always true
  if (loss.item()) losses.push(1);
  // @ts-expect-error: a promise is not less than a number
  if (loss.item() < 1) losses.push(1);
  // @ts-expect-error: a promise has no elements
  loss.data()[0];
  // @ts-expect-error: a tensor is no number
  loss * 2;
  // @ts-expect-error: a tensor is not less than a number
  if (loss < 1) losses.push(1);
  // @ts-expect-error: a tensor has no elements
  loss[0];
  void number;
}

export function mistakes(net: Net): void {
  // @ts-expect-error: there is no such device
  setDevice("cuda");
  // @ts-expect-error: there is no such split
  digits({ split: "validation" });
  // @ts-expect-error: the parameters are wanted, not the network
  new SGD(net, { lr: 0.1 });
  // @ts-expect-error: a learning rate is needed
  new SGD(net.parameters(), {});
  // @ts-expect-error: misspelt
  new SGD(net.parameters(), { lr: 0.1, momentun: 0.9 });
  // @ts-expect-error: misspelt
  net.head.wieght;
  // @ts-expect-error: a parameter is replaced by a parameter
  net.head.weight = tensor([1]);
  // @ts-expect-error: numbers are no tensors
  net([1, 2, 3]);
  // @ts-expect-error: a module needs a forward
  class Empty extends nn.Module {}
  void Empty;
}
