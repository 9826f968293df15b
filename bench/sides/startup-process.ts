/** The first prediction of this process, as JSON; its argument is the number of threads. */

import { startUp } from "./startup.js";

console.log(JSON.stringify(await startUp(Number(process.argv[2]))));
// The device's workers would keep the process.
process.exit(0);
