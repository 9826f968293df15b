/** Files with many pictures, which are read from for as long as a data set is used. */

import { FormatError } from "../../core/errors.js";
import type { ByteSource } from "../../formats/source.js";
import { openFileSource } from "../file-source.js";

/** A file that nobody has read from for so long is closed, for nobody says when a data set is done with. */
const idleMilliseconds = 1000;

/** The bytes of a file that is opened again whenever it is read from after a pause. */
export async function reopening(path: string): Promise<ByteSource> {
  let opened: Promise<ByteSource> | undefined = openFileSource(path);
  const { size } = await opened;
  let readers = 0;
  let closing: NodeJS.Timeout | undefined;
  const close = async () => {
    const closed = opened;
    opened = undefined;
    await (await closed)?.close();
  };
  const rest = () => {
    if (readers > 0) return;
    closing = setTimeout(() => close().catch(() => undefined), idleMilliseconds);
    closing.unref();
  };
  rest();
  return {
    name: path,
    size,
    async read(target, offset) {
      clearTimeout(closing);
      readers++;
      opened ??= openFileSource(path);
      try {
        const source = await opened;
        if (source.size !== size)
          throw new FormatError(`${path} has changed since it was opened. Fix: open the data set again.`);
        await source.read(target, offset);
      } finally {
        readers--;
        rest();
      }
    },
    close,
  };
}
