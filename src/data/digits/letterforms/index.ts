/** For each digit, the ways to write it. */

import { eight } from "./eight.js";
import { five } from "./five.js";
import { four } from "./four.js";
import type { Letterform } from "./letterform.js";
import { nine } from "./nine.js";
import { one } from "./one.js";
import { seven } from "./seven.js";
import { six } from "./six.js";
import { three } from "./three.js";
import { two } from "./two.js";
import { zero } from "./zero.js";

export const letterforms: readonly (readonly Letterform[])[] = [
  zero,
  one,
  two,
  three,
  four,
  five,
  six,
  seven,
  eight,
  nine,
];
