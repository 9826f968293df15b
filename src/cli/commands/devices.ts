/** `fovea devices`: where programs can run on this machine. */

import { Command } from "commander";
import { onWarning } from "../../core/warnings.js";
import { defaultDevice, listDevices } from "../../device.js";
import { printJson, say } from "../output.js";

const help = `
Example:
  $ fovea devices
  $ fovea devices --json`;

export function devicesCommand(): Command {
  return new Command("devices")
    .description("list the devices that can compute here (* is used unless you choose), and say why others cannot")
    .option("--json", "one JSON object a line on standard output")
    .addHelpText("after", help)
    .action(async ({ json }: { readonly json?: true }) => {
      // The list says why there is no native device.
      onWarning(() => {});
      const chosen = defaultDevice().name;
      for (const { name, device, reason } of listDevices()) {
        const failure = reason ?? (await device?.ready.then(() => undefined, String));
        const usable = failure === undefined;
        if (json) {
          printJson({
            name,
            usable,
            default: name === chosen,
            variant: device?.variant,
            threads: device?.threads,
            reason: failure,
          });
        } else {
          const detail = usable
            ? `${device?.variant}, ${device?.threads} thread${device?.threads === 1 ? "" : "s"}`
            : failure;
          say(`${name === chosen ? "*" : " "} ${name.padEnd(9)}  ${detail}`);
        }
      }
    });
}
