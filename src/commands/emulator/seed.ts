import { resolve } from "node:path";
import type { Context } from "../../context/context.ts";
import { requireEmulator, type EmulatorFlags } from "../../context/emulator-client.ts";
import { printPlan } from "../../context/print-plan.ts";
import { applySeed } from "./seed/apply-seed.ts";
import { readSeedFile, type Seed } from "./seed/seed-file.ts";

/** Creates the resources of a seed file that don't exist: users, projects, accounts, keys, policies, buckets, services. */
export async function emulatorSeed(context: Context, path: string, options: EmulatorFlags): Promise<void> {
  const { terminal } = context;
  const file = resolve(context.cwd, path);
  const seed = await readSeedFile(file);
  if (context.dryRun) return printPlan(terminal, describeSeed(seed));
  const running = await requireEmulator(context, options);
  const results = await terminal.step({ running: `Applying ${path}`, done: `Applied ${path}` }, () =>
    applySeed(context, running, seed, file),
  );
  if (terminal.json) terminal.printJson({ seeded: results });
  else {
    const rows = results.map(({ kind, name, made }) => [kind, name, made ? "created" : "already exists"]);
    terminal.printTable(rows, { header: ["kind", "name", "result"] });
  }
}

function describeSeed({ users, projects }: Seed): string[] {
  const userLines = users.flatMap(({ email, credentials }) => [
    `user ${email}`,
    ...(credentials ? [`login for ${email} in ${credentials}`] : []),
  ]);
  const projectLines = projects.flatMap(({ project, accounts, bindings, buckets, services }) => [
    `project ${project ?? "(the emulator's default)"}`,
    ...accounts.flatMap(({ email, keys, bindings }) => [
      `account ${email}`,
      ...keys.map((key) => `key for ${email} in ${key}`),
      ...bindings.map(({ role, members }) => `${role} on ${email} for ${members.join(", ")}`),
    ]),
    ...buckets.map(({ name }) => `bucket ${name}`),
    ...services.map(({ name, source, image }) => `service ${name} from ${source ?? image}`),
    ...bindings.map(({ role, members }) => `${role} on the project for ${members.join(", ")}`),
  ]);
  return [...userLines, ...projectLines];
}
