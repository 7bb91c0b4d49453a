import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { version } from "node:process";
import { SETTING_NAMES } from "../../settings/setting-sources.ts";
import { fail, ok, skip, warn, type Check, type Finding } from "./check.ts";

export const machineChecks: readonly Check[] = [
  { name: "node", run: async () => checkNode(version) },
  {
    name: "settings",
    remedy: "Mend what is named; what is set, and where: cloudrun-oauth config list",
    async run({ context: { settings } }) {
      // The first setting that isn't valid throws, with its source.
      const set = SETTING_NAMES.flatMap((name) => {
        const { value, source } = settings.get(name) ?? {};
        return value === undefined || source === "default" ? [] : [[name, { value, source }] as const];
      });
      const names = set.map(([name]) => name).join(", ");
      return ok(set.length === 0 ? "None are set." : `Set are ${names}.`, { details: Object.fromEntries(set) });
    },
  },
  {
    name: "engine",
    async run({ context: { env, settings } }) {
      const engine = settings.get("engine")?.value ?? "auto";
      if (engine === "process") return skip("The emulator runs services as processes: the setting engine says so.");
      const { findContainerProgram } = await import("../../emulator/index.ts");
      const folder = mkdtempSync(join(tmpdir(), "cloudrun-oauth-"));
      try {
        const { program, unusable } = await findContainerProgram(env, join(folder, "rootfs"));
        const details = { engine, program: program?.name ?? null, passed_over: unusable };
        if (program) return ok(`The emulator can run services in containers, by ${program.name}.`, { details });
        const broken = unusable.filter((reason) => !reason.endsWith("it is not installed"));
        const reasons = (broken.length > 0 ? broken : unusable).map(shorten).join("; ");
        if (engine === "container")
          return fail("ENGINE_MISSING", `The setting engine says container, and none works (${reasons}).`, {
            remedy: "cloudrun-oauth config set engine auto",
            details,
          });
        if (broken.length === 0) return ok("No container engine is installed: the emulator runs services as processes.", { details });
        return warn(`A container engine is installed and does not work (${reasons}): the emulator runs services as processes.`, {
          remedy: broken[0]?.startsWith("docker") ? "sudo systemctl start docker" : "podman info",
          details,
        });
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  },
];

/** Shortens a program's output; the details have all of it. */
function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** Compares with `engines` in package.json: ^20.19.0 || >=22.12.0. */
export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  const details = { version };
  const remedy = "See https://nodejs.org/en/download for the newest one with long-term support.";
  if (major < 20 || (major === 20 && minor < 19))
    return fail("NODE_OUTDATED", `Node ${version} is too old: 20.19 or later is needed.`, { remedy, details });
  const isTested = major === 20 || major > 22 || (major === 22 && minor >= 12);
  if (!isTested)
    return warn(`Node ${version} is none that this is made for: 20.19 and its later versions, or 22.12 and all later ones.`, {
      remedy,
      details,
    });
  return ok(`Node ${version}`, { details });
}
