/** Written by `npm run bench:algorithms`: native-avx2 on AMD EPYC. */

import type { AlgorithmTable } from "../../../core/algorithms.js";

export const table: AlgorithmTable = {
  "conv2d batch 1 1x1": {
    "direct-channels": "128x28>256 192x8>10 256x28>256",
    "direct-pixels": "32x112>64 64x56>128 128x56>128",
  },
  "conv2d batch 1 3x3": {
    "direct-pixels": "10x28>10 10x30>10",
  },
  "conv2d batch 1 5x5": {
    "winograd-columns": "5x14>10",
  },
  "conv2d batch 8 1x1": {
    "direct-channels": `
      192x28>96 256x28>128 480x14>96 480x14>192 512x14>112 512x14>128 512x14>144 512x14>160 528x14>128 528x14>160
      528x14>256 832x7>32 832x7>128`,
    "direct-pixels": `
      64x56>64 192x28>16 192x28>32 192x28>64 256x28>32 256x28>64 480x14>16 480x14>64 512x14>24 512x14>32 512x14>64
      528x14>32`,
  },
  "conv2d batch 64 1x1": {
    "direct-channels": "192x8>10 192x8>192 192x32>160",
    "direct-pixels": "160x32>96 192x16>192",
  },
  "conv2d batch 64 5x5": {
    "winograd-columns": "5x14>10 6x14>16",
    "direct-pixels": "3x32>5",
  },
  "conv2d batch 1 3x3 padding 1": {
    "direct-pixels": "3x32>16 3x224>64",
  },
  "conv2d batch 8 3x3 padding 1": {
    "winograd-4x4": `
      16x14>48 16x28>32 24x14>64 32x14>64 32x14>128 48x7>128 64x56>64 96x14>208 96x28>128 112x14>224 128x28>128
      128x28>192 128x56>256 144x14>288 160x7>320 192x7>384 192x13>384 256x13>256 256x14>256 256x28>512 384x13>256
      512x7>512 512x14>512 512x28>512`,
    "winograd-2x2": "32x7>128 128x14>256 160x14>320",
    "direct-pixels": "3x224>64",
  },
  "conv2d batch 64 3x3 padding 1": {
    "winograd-4x4": "16x32>16 32x16>32 64x8>64",
    "direct-pixels": "3x32>16",
  },
  "conv2d batch 64 5x5 padding 2": {
    "winograd-columns": "3x32>192",
  },
  "conv2d batch 1 3x3 padding 1 groups 1024": {
    "direct-pixels": "1024x7>1024",
  },
  "conv2d batch 1 5x5 stride 2": {
    "winograd-columns": "96x55>256",
  },
  "conv2d batch 8 1x1 stride 2": {
    "direct-channels": "128x28>256 256x14>512",
    "direct-pixels": "64x56>128",
  },
  "conv2d batch 8 5x5 stride 2": {
    "winograd-columns": "96x55>256",
  },
  "conv2d batch 1 3x3 stride 2 padding 1": {
    "direct-pixels": "3x224>32",
  },
  "conv2d batch 8 3x3 stride 2 padding 1": {
    "direct-channels": "64x56>128 128x28>256",
  },
  "conv2d batch 8 11x11 stride 4 padding 2": {
    "direct-channels": "3x224>64",
  },
  "conv2d batch 64 3x3 stride 2 padding 1": {
    "direct-channels": "16x32>32 32x16>64",
  },
  "conv2d batch 1 3x3 stride 2 padding 1 groups 512": {
    "direct-pixels": "512x14>512",
  },
  "conv2d batch 1 3x3 stride 2 padding 1 groups 576": {
    "direct-pixels": "576x14>576",
  },
  "conv2d batch 1 last 3x3": {
    "winograd-4x4": "32x149>32",
  },
  "conv2d batch 1 last 3x3 padding 1": {
    "winograd-4x4": `
      16x54>64 16x55>64 24x14>64 32x14>64 32x14>128 32x16>32 32x54>128 32x147>64 48x13>192 64x13>256 64x14>96
      64x224>64 96x14>128 96x14>208 112x14>224 128x14>128 128x14>160 128x14>192 128x14>256 128x56>256 144x14>288
      160x14>160 160x14>192 160x14>320 192x13>384 192x14>192 192x14>256 256x13>256 256x13>384 256x13>512 256x14>256
      384x13>256 384x13>384 512x13>1024 512x14>512 1024x13>512`,
    "winograd-2x2": `
      16x14>48 32x7>128 48x7>128 64x8>64 160x7>224 160x7>320 192x7>224 192x7>320 192x7>384 224x7>224 384x6>1024`,
  },
  "conv2d batch 1 last 5x5 padding 2": {
    "winograd-columns": "3x32>192",
  },
  "conv2d batch 1 last 3x3 padding 1 groups 2": {
    "winograd-4x4": "384x13>256 384x13>384",
  },
  "conv2d batch 1 last 7x7 stride 2": {
    "winograd-columns": "3x224>96",
  },
  "conv2d batch 8 last 7x7 stride 2": {
    "winograd-columns": "3x224>96",
  },
  "conv2d batch 1 last 7x7 stride 2 padding 3": {
    "winograd-columns": "3x224>64",
  },
  "conv2d batch 8 last 7x7 stride 2 padding 3": {
    "winograd-columns": "3x224>64",
  },
  "conv2d batch 1 last 7x7 stride 2 padding 3 groups 3": {
    "winograd-columns": "3x224>24",
  },
  "conv2d batch 8 last 7x7 stride 2 padding 3 groups 3": {
    "winograd-columns": "3x224>24",
  },
  "conv2dInputGradient batch 8 1x1": {
    "direct-channels": `
      192x28>16 192x28>32 192x28>64 192x28>96 256x28>32 256x28>64 480x14>16 480x14>64 480x14>96 480x14>192 512x14>32
      512x14>64 512x14>112 512x14>128 512x14>144 512x14>160 528x14>32 528x14>128 528x14>160 528x14>256 832x7>32
      832x7>48`,
    "direct-pixels": "64x56>64 256x28>128 512x14>24",
  },
  "conv2dInputGradient batch 64 1x1": {
    "direct-channels": "160x32>96 192x8>192 192x32>160",
    "direct-pixels": "192x8>10 192x16>192",
  },
  "conv2dInputGradient batch 64 5x5": {
    "direct-pixels": "5x14>10 6x14>16",
  },
  "conv2dInputGradient batch 8 3x3 padding 1": {
    "winograd-4x4": `
      16x28>32 24x14>64 32x7>128 32x14>64 32x14>128 32x28>96 48x7>128 64x56>64 64x56>192 96x14>208 96x28>128
      112x14>224 128x14>256 128x28>192 128x56>256 160x7>320 160x14>320 192x7>384 192x13>384 256x13>256 256x14>256
      384x13>256 512x7>512 512x14>512 512x28>512`,
    "winograd-2x2": "16x14>48 144x14>288",
  },
  "conv2dInputGradient batch 64 3x3 padding 1": {
    "winograd-4x4": "16x32>16 32x16>32 64x8>64 192x8>192",
  },
  "conv2dInputGradient batch 8 1x1 stride 2": {
    "direct-channels": "64x56>128",
  },
  "conv2dInputGradient batch 8 5x5 stride 2": {
    "direct-channels": "96x55>256",
  },
  "conv2dInputGradient batch 8 3x3 stride 2 padding 1": {
    "direct-channels": "64x56>128 128x28>256",
  },
  "conv2dWeightGradient batch 8 1x1": {
    "direct-channels": `
      64x56>64 192x28>32 192x28>96 256x28>32 256x28>64 256x28>128 480x14>192 512x14>144 528x14>128 528x14>160`,
    "direct-pixels": `
      480x14>16 480x14>64 480x14>96 512x14>24 512x14>32 512x14>64 512x14>112 512x14>128 512x14>160 528x14>32
      528x14>256`,
  },
  "conv2dWeightGradient batch 64 1x1": {
    "direct-channels": "160x32>96 192x8>192 192x32>160",
    "direct-pixels": "192x8>10 192x16>192",
  },
  "conv2dWeightGradient batch 64 5x5": {
    "direct-channels": "5x14>10 6x14>16",
  },
  "conv2dWeightGradient batch 8 3x3 padding 1": {
    "winograd-4x4": `
      16x14>48 16x28>32 24x14>64 32x7>128 32x14>64 32x14>128 32x28>96 48x7>128 64x56>64 64x56>192 64x112>128 64x224>64
      96x14>208 96x28>128 112x14>224 128x112>128 144x14>288 160x14>320 192x7>384 192x13>384 256x13>256 256x14>256
      256x28>512 256x56>256 384x13>256 512x7>512 512x14>512`,
    "direct-pixels": "3x224>64",
  },
  "conv2dWeightGradient batch 64 3x3 padding 1": {
    "winograd-4x4": "16x32>16 64x8>64 192x8>192",
    "direct-pixels": "3x32>16",
  },
  "conv2dWeightGradient batch 64 5x5 padding 2": {
    "direct-channels": "96x16>192",
    "direct-pixels": "3x32>192",
  },
  "conv2dWeightGradient batch 8 1x1 stride 2": {
    "direct-pixels": "64x56>128 128x28>256",
  },
  "conv2dWeightGradient batch 8 11x11 stride 4": {
    "direct-channels": "3x227>96",
  },
  "conv2dWeightGradient batch 8 3x3 stride 2 padding 1": {
    "direct-channels": "64x56>128",
  },
  "conv2dWeightGradient batch 8 7x7 stride 2 padding 1": {
    "direct-channels": "3x224>96",
  },
  "conv2dWeightGradient batch 8 7x7 stride 2 padding 3": {
    "direct-pixels": "3x224>64",
  },
  "conv2dWeightGradient batch 8 11x11 stride 4 padding 2": {
    "direct-channels": "3x224>64",
  },
  "conv2dWeightGradient batch 64 3x3 stride 2 padding 1": {
    "direct-channels": "32x16>64",
    "direct-pixels": "16x32>32",
  },
  "conv2dWeightGradient batch 8 last 7x7 stride 2": {
    "direct-channels": "3x224>96",
  },
  "conv2dWeightGradient batch 8 last 11x11 stride 4": {
    "direct-channels": "3x224>96",
  },
  "conv2dWeightGradient batch 8 last 7x7 stride 2 padding 3": {
    "direct-pixels": "3x224>64",
  },
  "conv2dWeightGradient batch 8 last 11x11 stride 4 padding 2": {
    "direct-channels": "3x224>64",
  },
  "conv2dWeightGradient batch 8 last 7x7 stride 2 padding 3 groups 3": {
    "direct-channels": "3x224>24",
  },
};
