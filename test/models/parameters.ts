/**
 * How many parameters each network has at its full size, auxiliary classifiers included: from its paper's table or from
 * torchvision where these say it, else from the sizes of its layers.
 */
export const parameterCounts: Readonly<Record<string, number>> = {
  lenet5: 61_706,
  alexnet: 61_100_840,
  googlenet: 13_004_888,
  googlenet2014: 13_378_280,
  inception_v3: 27_161_264,
  resnet18: 11_689_512,
  resnet34: 21_797_672,
  resnet50: 25_557_032,
  resnet101: 44_549_160,
  resnet152: 60_192_808,
  resnet20: 269_722,
  resnet32: 464_154,
  resnet44: 658_586,
  resnet56: 853_018,
  resnet110: 1_727_962,
  squeezenet1_0: 1_248_424,
  squeezenet1_1: 1_235_496,
  mobilenet_v1: 4_231_976,
  mobilenet_v2: 3_504_872,
  inception_v2: 11_188_288,
  unet: 31_030_658,
  segnet: 29_449_355,
};
