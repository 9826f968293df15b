/** CRC-32 as in zip and PNG (ISO 3309), and CRC-32C as in TFRecord files (Castagnoli, Bräuer & Herrmann 1993). */

/** The polynomials, their bits reversed. */
const polynomials = { crc32: 0xedb88320, crc32c: 0x82f63b78 } as const;

/** Eight tables, so that eight bytes are taken at a time (M. E. Kounavis & F. L. Berry 2005, "slicing by 8"). */
const tables: Partial<Record<keyof typeof polynomials, Int32Array<ArrayBuffer>>> = {};

function makeTables(polynomial: number): Int32Array<ArrayBuffer> {
  const made = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1;
    made[byte] = value;
  }
  for (let i = 256; i < made.length; i++) made[i] = (made[i - 256] >>> 8) ^ made[made[i - 256] & 255];
  return made;
}

/** The checksum of bytes, or with `before` that of all bytes so far together with these. */
export function crc32(bytes: Uint8Array, before = 0): number {
  return checksum("crc32", bytes, before);
}

/** Castagnoli's. */
export function crc32c(bytes: Uint8Array): number {
  return checksum("crc32c", bytes, 0);
}

function checksum(kind: keyof typeof polynomials, bytes: Uint8Array, before: number): number {
  tables[kind] ??= makeTables(polynomials[kind]);
  const table = tables[kind];
  let crc = ~before;
  let i = 0;
  for (const end = bytes.length - 7; i < end; i += 8) {
    crc ^= bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
    crc =
      table[1792 + (crc & 255)] ^
      table[1536 + ((crc >>> 8) & 255)] ^
      table[1280 + ((crc >>> 16) & 255)] ^
      table[1024 + (crc >>> 24)] ^
      table[768 + bytes[i + 4]] ^
      table[512 + bytes[i + 5]] ^
      table[256 + bytes[i + 6]] ^
      table[bytes[i + 7]];
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ table[(crc ^ bytes[i]) & 255];
  return ~crc >>> 0;
}
