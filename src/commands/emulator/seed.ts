import { resolve } from "node:path";
import type { Context } from "../../context/context.ts";
import { requireEmulator, type EmulatorFlags } from "../../context/emulator-client.ts";
import { printPlan } from "../../context/print-plan.ts";
import { plant } from "./seed/apply-seed.ts";
import { readSeedFile, type Seed } from "./seed/seed-file.ts";

/** Makes what a file asks for: projects, accounts, keys, policies, buckets, services. What is there already stays. */
export async function emulatorSeed(context: Context, path: string, options: EmulatorFlags): Promise<void> {
  const { terminal } = context;
  const file = resolve(context.cwd, path);
  const seed = await readSeedFile(file);
  if (context.dryRun) return printPlan(terminal, plan(seed));
  const running = await requireEmulator(context, options);
  const planted = await terminal.task(`Planting ${path}`, () => plant(context, running, seed, file));
  if (terminal.json) terminal.printJson({ seeded: planted });
  else terminal.printTable(planted.map(({ kind, name, made }) => [kind.toUpperCase(), name, made ? "made" : "there already"]));
}

function plan({ users, projects }: Seed): string[] {
  const people = users.flatMap(({ email, credentials }) => [
    `user ${email}`,
    ...(credentials ? [`login of ${email} in ${credentials}`] : []),
  ]);
  const planned = projects.flatMap(({ project, accounts, bindings, buckets, services }) => [
    `project ${project ?? "of the emulator"}`,
    ...accounts.flatMap(({ email, keys, bindings }) => [
      `account ${email}`,
      ...keys.map((key) => `key of ${email} in ${key}`),
      ...bindings.map(({ role, members }) => `${role} on ${email} for ${members.join(", ")}`),
    ]),
    ...buckets.map(({ name }) => `bucket ${name}`),
    ...services.map(({ name, source, image }) => `service ${name} from ${source ?? image}`),
    ...bindings.map(({ role, members }) => `${role} on the project for ${members.join(", ")}`),
  ]);
  return [...people, ...planned];
}
