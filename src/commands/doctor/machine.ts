import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { version } from "node:process";
import { externalStep, nextStep } from "../../errors/next-step.ts";
import { SETTING_NAMES } from "../../settings/setting-sources.ts";
import { fail, ok, skip, warn, type Check, type Finding } from "./check.ts";

export const machineChecks: readonly Check[] = [
  { name: "node", run: async () => checkNode(version) },
  {
    name: "settings",
    async run({ context: { settings } }) {
      // The first setting that isn't valid throws, with its source.
      const set = SETTING_NAMES.flatMap((name) => {
        const { value, source } = settings.get(name) ?? {};
        return value === undefined || source === "default" ? [] : [[name, { value, source }] as const];
      });
      const names = set.map(([name]) => name).join(", ");
      return ok(set.length === 0 ? "No settings configured." : `Set: ${names}.`, { details: Object.fromEntries(set) });
    },
  },
  {
    name: "engine",
    async run({ context: { env, settings } }) {
      const engine = settings.get("engine")?.value ?? "auto";
      if (engine === "process") return skip("The emulator runs services as local processes (engine is set to process).");
      const { findContainerProgram } = await import("../../emulator/index.ts");
      const folder = mkdtempSync(join(tmpdir(), "cloudrun-oauth-"));
      try {
        const { program, unusable } = await findContainerProgram(env, join(folder, "rootfs"));
        const details = { engine, program: program?.name ?? null, passed_over: unusable };
        if (program) return ok(`The emulator can run services in containers (${program.name}).`, { details });
        const broken = unusable.filter((reason) => !/not installed|n't installed/.test(reason));
        const reasons = (broken.length > 0 ? broken : unusable).map(shorten).join("; ");
        if (engine === "container")
          return fail("ENGINE_MISSING", `No container engine works (${reasons}), but engine is set to container.`, {
            next: [nextStep("To run services as local processes", "config", "set", "engine", "auto")],
            details,
          });
        if (broken.length === 0) return ok("No container engine is installed; the emulator runs services as local processes.", { details });
        const startDocker = externalStep("To start Docker on Linux", "sudo", "systemctl", "start", "docker");
        return warn(`Containers are unavailable (${reasons}); the emulator runs services as local processes.`, {
          next: [broken[0]?.startsWith("docker") ? startDocker : externalStep("To see why", "podman", "info")],
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
  const hint = "To install the latest LTS version, see https://nodejs.org/en/download.";
  if (major < 20 || (major === 20 && minor < 19))
    return fail("NODE_OUTDATED", `Node.js ${version} is too old; use 20.19 or later.`, { hint, details });
  const isTested = major === 20 || major > 22 || (major === 22 && minor >= 12);
  if (!isTested) return warn(`Node.js ${version} isn't supported; use 20.19 or later, or 22.12 or later.`, { hint, details });
  return ok(`Node.js ${version}`, { details });
}
