/** A web server on this machine, for tests of downloads. */

import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import { after } from "node:test";

const closing: (() => void)[] = [];
after(() => {
  for (const close of closing) close();
});

/** Starts a server that is closed after the file's tests, and returns its address. */
export async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  return `http://127.0.0.1:${address.port}/`;
}
