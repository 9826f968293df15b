/** Small files in the layout of CIFAR's binary version. */

/** Records of `labels` with pictures whose bytes count on from the picture's number. */
export function cifarBytes(...labels: readonly (number | readonly number[])[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    labels.flatMap((label, i) => [
      ...(typeof label === "number" ? [label] : label),
      ...Array.from({ length: 3072 }, (_, j) => (i + j) % 256),
    ]),
  );
}

/** A tar archive in the format of POSIX.1-1988; a size that lies can be given. */
export function tarBytes(
  files: readonly {
    readonly path: string;
    readonly bytes: Uint8Array;
    readonly type?: string;
    readonly size?: number;
  }[],
): Uint8Array<ArrayBuffer> {
  const blocks = files.flatMap(({ path, bytes, type = "0", size = bytes.length }) => {
    const header = Buffer.alloc(512);
    header.write(path);
    header.write("0000644\0", 100);
    header.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
    header.write("        ", 148);
    header.write(type, 156);
    header.write("ustar\x0000", 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return [header, bytes, new Uint8Array((512 - (bytes.length % 512)) % 512)];
  });
  return Uint8Array.from(Buffer.concat([...blocks, new Uint8Array(1024)]));
}
