/** What networks for ImageNet's 1,000 classes declare, as torchvision's weights expect it. */

export const imagenet = {
  inputShape: [3, 224, 224],
  numClasses: 1000,
  normalization: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  resizing: { resize: 256, crop: 224, interpolation: "bilinear" },
  classes: "imagenet",
} as const;
