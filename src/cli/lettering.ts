/** Letters in pictures, three pixels wide and five high: legible without any font being installed. */

import type { PixelImage } from "../data/pixels.js";

/** Five rows each, from the top: octal digits of three pixels. */
const glyphs: Readonly<Record<string, string>> = {
  ...{ A: "25755", B: "65656", C: "34443", D: "65556", E: "74647", F: "74644", G: "34553", H: "55755", I: "72227" },
  ...{ J: "11152", K: "55655", L: "44447", M: "57755", N: "65555", O: "25552", P: "65644", Q: "25563", R: "65655" },
  ...{ S: "34216", T: "72222", U: "55557", V: "55552", W: "55775", X: "55255", Y: "55222", Z: "71247" },
  ...{ 0: "75557", 1: "26227", 2: "71747", 3: "71717", 4: "55711", 5: "74717", 6: "74757", 7: "71222", 8: "75757" },
  ...{ 9: "75717", "-": "00700", ".": "00002", ":": "02020", "=": "07070", ",": "00024", "+": "02720", " ": "00000" },
};
const [glyphWidth, glyphHeight] = [3, 5];

/** A line of text, white on black, in capitals; what there is no letter for is left blank. @param scale pixels of the picture for one of a letter */
export function drawText(text: string, scale: number): PixelImage {
  const letters = [...text.toUpperCase()];
  const width = Math.max(1, letters.length * (glyphWidth + 1) * scale);
  const height = glyphHeight * scale;
  const data = new Uint8Array(width * height);
  for (const [i, letter] of letters.entries()) {
    const rows = glyphs[letter] ?? glyphs[" "];
    for (let y = 0; y < height; y++) {
      const row = Number(rows[Math.floor(y / scale)]);
      for (let x = 0; x < glyphWidth * scale; x++) {
        const set = (row >> (glyphWidth - 1 - Math.floor(x / scale))) & 1;
        data[y * width + i * (glyphWidth + 1) * scale + x] = 255 * set;
      }
    }
  }
  return { width, height, channels: 1, data };
}

/** Pictures below one another, on black, their left sides in line. Grey ones become red, green and blue. */
export function stackPictures(pictures: readonly PixelImage[], gap: number): PixelImage {
  const width = gap + Math.max(...pictures.map((picture) => picture.width + gap));
  const height = pictures.reduce((sum, picture) => sum + picture.height + gap, gap);
  const data = new Uint8Array(width * height * 3);
  let top = gap;
  for (const picture of pictures) {
    for (let y = 0; y < picture.height; y++) {
      for (let x = 0; x < picture.width; x++) {
        const from = (y * picture.width + x) * picture.channels;
        const to = ((top + y) * width + gap + x) * 3;
        for (let channel = 0; channel < 3; channel++)
          data[to + channel] = picture.data[from + (picture.channels === 1 ? 0 : channel)];
      }
    }
    top += picture.height + gap;
  }
  return { width, height, channels: 3, data };
}
