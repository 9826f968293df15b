/** Fovea's side of a comparison as a process; its argument names the device. */

import type { DeviceName } from "fovea";
import { openFovea } from "./fovea-session.js";
import { readBuffer, serve } from "./serve.js";

const device = process.argv[2] as DeviceName;
await serve(`Node ${process.versions.node}`, (job) => openFovea(device, job, readBuffer));
