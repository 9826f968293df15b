/** What networks for CIFAR-10 declare. */

export const cifar10 = {
  inputShape: [3, 32, 32],
  numClasses: 10,
  // Mean and standard deviation of the training pixels.
  normalization: { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] },
  classes: "cifar10",
} as const;
