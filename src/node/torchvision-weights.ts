/**
 * The weights that torchvision publishes for networks that Fovea has.
 * Written by scripts/torchvision-weights.py from torchvision 0.14.1.
 */

/** Weights of one network. */
export interface TorchvisionWeights {
  /** The network: `resnet50`. */
  readonly model: string;
  /** Which of its weights: `IMAGENET1K_V2`. */
  readonly weights: string;
  /** Whether these are meant where none are named. */
  readonly isDefault: boolean;
  readonly file: string;
  /** The first digits of the file's checksum. */
  readonly sha256: string;
  /** Percent of ImageNet's validation pictures whose class was named first, and among the first five. */
  readonly top1: number;
  readonly top5: number;
  /** How pictures were resized and cropped for that. */
  readonly resizing: { readonly resize: number; readonly crop: number; readonly interpolation: "bilinear" | "bicubic" };
}

/** Where the files are. */
export const torchvisionUrl = "https://download.pytorch.org/models/";

export const torchvisionWeights: readonly TorchvisionWeights[] = [
  {
    model: "alexnet",
    weights: "IMAGENET1K_V1",
    isDefault: true,
    file: "alexnet-owt-7be5be79.pth",
    sha256: "7be5be79",
    top1: 56.522,
    top5: 79.066,
    resizing: { resize: 256, crop: 224, interpolation: "bilinear" },
  },
  {
    model: "vgg11",
    weights: "IMAGENET1K_V1",
    isDefault: true,
    file: "vgg11-8a719046.pth",
    sha256: "8a719046",
    top1: 69.02,
    top5: 88.628,
    resizing: { resize: 256, crop: 224, interpolation: "bilinear" },
  },
  {
    model: "vgg11_bn",
    weights: "IMAGENET1K_V1",
    isDefault: true,
    file: "vgg11_bn-6002323d.pth",
    sha256: "6002323d",
    top1: 70.37,
    top5: 89.81,
    resizing: { resize: 256, crop: 224, interpolation: "bilinear" },
  },
  {
    model: "vgg13",
    weights: "IMAGENET1K_V1",
    isDefault: true,
    file: "vgg13-19584684.pth",
    sha256: "19584684",
    top1: 69.928,
    top5: 89.246,
    resizing: { resize: 256, crop: 224, interpolation: "bilinear" },
  },
  {
    model: "vgg13_bn",
    weights: "IMAGENET1K_V1",
    isDefault: true,
    file: "vgg13_bn-abd245e5.pth",
    sha256: "abd245e5",
    top1: 71.586,
    top5: 90.374,
    resizing: { resize: 256, crop: 224, interpolation: "bilinear" },
  },
  {
    model: "vgg16",
    weights: "IMAGENET1K_V1",
    isDefault: true,
    file: "vgg16-397923af.pth",
    sha256: "397923af",
    top1: 71.592,
    top5: 90.382,
    resizing: { resize: 256, crop: 224, interpolation: "bilinear" },
  },
  {
    model: "vgg16_bn",
    weights: "IMAGENET1K_V1",
    isDefault: true,
    file: "vgg16_bn-6c64b313.pth",
    sha256: "6c64b313",
    top1: 73.36,
    top5: 91.516,
    resizing: { resize: 256, crop: 224, interpolation: "bilinear" },
  },
  {
    model: "vgg19",
    weights: "IMAGENET1K_V1",
    isDefault: true,
    file: "vgg19-dcbb9e9d.pth",
    sha256: "dcbb9e9d",
    top1: 72.376,
    top5: 90.876,
    resizing: { resize: 256, crop: 224, interpolation: "bilinear" },
  },
  {
    model: "vgg19_bn",
    weights: "IMAGENET1K_V1",
    isDefault: true,
    file: "vgg19_bn-c79401a0.pth",
    sha256: "c79401a0",
    top1: 74.218,
    top5: 91.842,
    resizing: { resize: 256, crop: 224, interpolation: "bilinear" },
  },
  {
    model: "googlenet",
    weights: "IMAGENET1K_V1",
    isDefault: true,
    file: "googlenet-1378be20.pth",
    sha256: "1378be20",
    top1: 69.778,
    top5: 89.53,
    resizing: { resize: 256, crop: 224, interpolation: "bilinear" },
  },
  {
    model: "inception_v3",
    weights: "IMAGENET1K_V1",
    isDefault: true,
    file: "inception_v3_google-0cc3c7bd.pth",
    sha256: "0cc3c7bd",
    top1: 77.294,
    top5: 93.45,
    resizing: { resize: 342, crop: 299, interpolation: "bilinear" },
  },
  {
    model: "resnet18",
    weights: "IMAGENET1K_V1",
    isDefault: true,
    file: "resnet18-f37072fd.pth",
    sha256: "f37072fd",
    top1: 69.758,
    top5: 89.078,
    resizing: { resize: 256, crop: 224, interpolation: "bilinear" },
  },
  {
    model: "resnet34",
    weights: "IMAGENET1K_V1",
    isDefault: true,
    file: "resnet34-b627a593.pth",
    sha256: "b627a593",
    top1: 73.314,
    top5: 91.42,
    resizing: { resize: 256, crop: 224, interpolation: "bilinear" },
  },
  {
    model: "resnet50",
    weights: "IMAGENET1K_V1",
    isDefault: false,
    file: "resnet50-0676ba61.pth",
    sha256: "0676ba61",
    top1: 76.13,
    top5: 92.862,
    resizing: { resize: 256, crop: 224, interpolation: "bilinear" },
  },
  {
    model: "resnet50",
    weights: "IMAGENET1K_V2",
    isDefault: true,
    file: "resnet50-11ad3fa6.pth",
    sha256: "11ad3fa6",
    top1: 80.858,
    top5: 95.434,
    resizing: { resize: 232, crop: 224, interpolation: "bilinear" },
  },
  {
    model: "resnet101",
    weights: "IMAGENET1K_V1",
    isDefault: false,
    file: "resnet101-63fe2227.pth",
    sha256: "63fe2227",
    top1: 77.374,
    top5: 93.546,
    resizing: { resize: 256, crop: 224, interpolation: "bilinear" },
  },
  {
    model: "resnet101",
    weights: "IMAGENET1K_V2",
    isDefault: true,
    file: "resnet101-cd907fc2.pth",
    sha256: "cd907fc2",
    top1: 81.886,
    top5: 95.78,
    resizing: { resize: 232, crop: 224, interpolation: "bilinear" },
  },
  {
    model: "resnet152",
    weights: "IMAGENET1K_V1",
    isDefault: false,
    file: "resnet152-394f9c45.pth",
    sha256: "394f9c45",
    top1: 78.312,
    top5: 94.046,
    resizing: { resize: 256, crop: 224, interpolation: "bilinear" },
  },
  {
    model: "resnet152",
    weights: "IMAGENET1K_V2",
    isDefault: true,
    file: "resnet152-f82ba261.pth",
    sha256: "f82ba261",
    top1: 82.284,
    top5: 96.002,
    resizing: { resize: 232, crop: 224, interpolation: "bilinear" },
  },
  {
    model: "squeezenet1_0",
    weights: "IMAGENET1K_V1",
    isDefault: true,
    file: "squeezenet1_0-b66bff10.pth",
    sha256: "b66bff10",
    top1: 58.092,
    top5: 80.42,
    resizing: { resize: 256, crop: 224, interpolation: "bilinear" },
  },
  {
    model: "squeezenet1_1",
    weights: "IMAGENET1K_V1",
    isDefault: true,
    file: "squeezenet1_1-b8a52dc0.pth",
    sha256: "b8a52dc0",
    top1: 58.178,
    top5: 80.624,
    resizing: { resize: 256, crop: 224, interpolation: "bilinear" },
  },
  {
    model: "mobilenet_v2",
    weights: "IMAGENET1K_V1",
    isDefault: false,
    file: "mobilenet_v2-b0353104.pth",
    sha256: "b0353104",
    top1: 71.878,
    top5: 90.286,
    resizing: { resize: 256, crop: 224, interpolation: "bilinear" },
  },
  {
    model: "mobilenet_v2",
    weights: "IMAGENET1K_V2",
    isDefault: true,
    file: "mobilenet_v2-7ebf99e0.pth",
    sha256: "7ebf99e0",
    top1: 72.154,
    top5: 90.822,
    resizing: { resize: 232, crop: 224, interpolation: "bilinear" },
  },
];
