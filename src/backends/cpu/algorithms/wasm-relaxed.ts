/** Written by `npm run bench:algorithms`: wasm-relaxed on AMD EPYC. */

import type { AlgorithmTable } from "../../../core/algorithms.js";

export const table: AlgorithmTable = {
  "conv2d batch 1 1x1": {
    "direct-channels": "128x28>256 128x56>128 256x28>256",
    "direct-pixels": "64x56>128",
  },
  "conv2d batch 1 3x3": {
    "winograd-4x4": "10x30>10",
    "direct-pixels": "3x64>10 10x28>10 10x62>10",
  },
  "conv2d batch 1 5x5": {
    "winograd-columns": "5x14>10 6x14>16",
    "direct-pixels": "3x32>5",
  },
  "conv2d batch 1 3x3 padding 1": {
    "direct-channels": "3x32>16",
  },
  "conv2d batch 1 5x5 stride 2": {
    "winograd-columns": "96x55>256",
  },
  "conv2d batch 1 11x11 stride 4": {
    "winograd-columns": "3x227>96",
  },
  "conv2d batch 8 5x5 stride 2": {
    "winograd-columns": "96x55>256",
  },
  "conv2d batch 1 3x3 stride 2 padding 1": {
    "direct-pixels": "3x224>32",
  },
  "conv2d batch 1 7x7 stride 2 padding 3": {
    "winograd-columns": "3x224>64",
  },
  "conv2d batch 8 7x7 stride 2 padding 3": {
    "winograd-columns": "3x224>64",
  },
  "conv2d batch 1 last 3x3": {
    "winograd-4x4": "32x149>32",
  },
  "conv2d batch 1 last 3x3 padding 1": {
    "winograd-4x4": `
      16x14>48 16x28>32 16x32>16 16x54>64 24x14>64 32x14>64 32x14>128 32x16>32 32x54>128 32x147>64 48x13>192 64x13>256
      64x14>96 64x28>96 64x35>96 64x224>64 96x14>128 96x14>208 112x14>224 128x14>128 128x14>160 128x14>192 128x14>256
      128x28>192 128x112>128 144x14>288 160x7>320 160x14>160 160x14>192 160x14>320 192x7>320 192x13>384 192x14>192
      192x14>256 224x7>224 256x13>256 256x13>384 256x13>512 256x14>256 256x56>256 384x13>256 384x13>384 448x8>384
      512x7>512 512x13>1024 1024x13>512`,
    "winograd-2x2": "48x7>128 64x8>64 160x7>224 192x7>224 192x7>384 192x8>192 384x6>1024",
    "direct-channels": "32x7>128",
  },
  "conv2d batch 1 last 5x5 padding 2": {
    "winograd-columns": "3x32>192",
  },
  "conv2d batch 1 last 3x3 padding 1 groups 2": {
    "winograd-4x4": "384x13>256 384x13>384",
  },
  "conv2d batch 8 last 11x11 stride 4 padding 2": {
    "winograd-columns": "3x224>64",
  },
  "conv2d batch 1 last 7x7 stride 2 padding 3 groups 3": {
    "winograd-columns": "3x224>24",
  },
  "conv2d batch 8 last 7x7 stride 2 padding 3 groups 3": {
    "winograd-columns": "3x224>24",
  },
  "conv2dInputGradient batch 8 5x5 stride 2": {
    "direct-channels": "96x55>256",
  },
  "conv2dWeightGradient batch 8 5x5 stride 2": {
    "direct-channels": "96x55>256",
  },
  "conv2dWeightGradient batch 8 7x7 stride 2 padding 1": {
    "direct-channels": "3x224>96",
  },
  "conv2dWeightGradient batch 8 7x7 stride 2 padding 3": {
    "direct-pixels": "3x224>64",
  },
  "conv2dWeightGradient batch 8 last 7x7 stride 2": {
    "direct-pixels": "3x224>96",
  },
  "conv2dWeightGradient batch 8 last 11x11 stride 4": {
    "direct-channels": "3x224>96",
  },
  "conv2dWeightGradient batch 8 last 7x7 stride 2 padding 3": {
    "direct-channels": "3x224>64",
  },
  "conv2dWeightGradient batch 8 last 11x11 stride 4 padding 2": {
    "direct-channels": "3x224>64",
  },
  "conv2dWeightGradient batch 8 last 7x7 stride 2 padding 3 groups 3": {
    "direct-channels": "3x224>24",
  },
};
