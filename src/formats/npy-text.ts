/** NumPy's arrays of text: of each element as many code points of 32 bits (`<U10`) or bytes (`|S5`), filled up with zeros. */

import { FormatError } from "../core/errors.js";
import { swapBytes } from "./npy.js";

/** Bytes of an element of NumPy's type; undefined where that is no text. */
export function textWidth(type: string): number | undefined {
  const [, kind, length] = /^[<>|=]([US])(\d+)$/.exec(type) ?? [];
  return kind === undefined ? undefined : Number(length) * (kind === "U" ? 4 : 1);
}

/** The elements of an array of text, `width` bytes each. @throws FormatError for numbers that are no code points */
export function decodeTexts(bytes: Uint8Array<ArrayBuffer>, type: string, width: number, name: string): string[] {
  const isUnicode = type[1] === "U";
  const { buffer } = bytes.slice();
  if (isUnicode && type.startsWith(">")) swapBytes(new Uint8Array(buffer), 4);
  return Array.from({ length: bytes.length / width }, (_, i) => {
    const from = i * width;
    const codes = isUnicode ? new Uint32Array(buffer, from, width / 4) : new Uint8Array(buffer, from, width);
    const end = codes.findLastIndex((code) => code !== 0) + 1;
    if (codes instanceof Uint8Array) return new TextDecoder().decode(codes.subarray(0, end));
    const wrong = codes.find((code) => code > 0x10ffff);
    if (wrong !== undefined)
      throw new FormatError(
        `${name}: element ${i} has the character ${wrong}. Expected Unicode, up to ${0x10ffff}. Fix: the file is damaged; write it again.`,
      );
    return String.fromCodePoint(...codes.subarray(0, end));
  });
}
