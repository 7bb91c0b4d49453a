import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import * as v from "valibot";
import { CliError } from "../../../errors/cli-error.ts";
import { nextStep } from "../../../errors/next-step.ts";

const Text = v.pipe(v.string(), v.nonEmpty());
const Role = v.pipe(
  v.string(),
  v.regex(/^(roles|projects\/[^/]+\/roles|organizations\/\d+\/roles)\/[\w.]+$/, "use a role such as roles/run.invoker"),
);

const Binding = v.strictObject({
  role: Role,
  members: v.array(Text),
  condition: v.optional(v.strictObject({ expression: Text, title: v.optional(v.string()), description: v.optional(v.string()) })),
});

const Account = v.strictObject({
  /** The email address, or the part before the @. */
  email: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]{5,29}(@\S+)?$/, "use 6 to 30 lowercase letters, digits, and hyphens")),
  display_name: v.optional(v.string()),
  description: v.optional(v.string()),
  disabled: v.optional(v.boolean()),
  /** Files that key files are written to, relative to the seed file. */
  keys: v.optional(v.array(Text), []),
  bindings: v.optional(v.array(Binding), []),
});

const Service = v.pipe(
  v.strictObject({
    name: v.pipe(v.string(), v.regex(/^[a-z](?:[a-z0-9-]{0,47}[a-z0-9])?$/, "use at most 49 lowercase letters, digits, and hyphens")),
    region: v.optional(v.pipe(v.string(), v.regex(/^[a-z]+-[a-z]+\d{1,2}$/, "use a region such as us-central1"))),
    /** A folder to build, relative to the seed file. */
    source: v.optional(Text),
    image: v.optional(Text),
    service_account: v.optional(Text),
    env: v.optional(v.record(v.string(), v.string())),
    allow_unauthenticated: v.optional(v.boolean()),
    /** The members that can invoke it. */
    members: v.optional(v.array(Text), []),
    bindings: v.optional(v.array(Binding), []),
  }),
  v.check(({ source, image }) => (source === undefined) !== (image === undefined), "set either source or image"),
);

const Project = v.strictObject({
  /** By default, the emulator's own project. */
  project: v.optional(v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/, "use 6 to 30 lowercase letters, digits, and hyphens"))),
  accounts: v.optional(v.array(Account), []),
  bindings: v.optional(v.array(Binding), []),
  buckets: v.optional(v.array(v.strictObject({ name: Text, location: v.optional(Text) })), []),
  services: v.optional(v.array(Service), []),
});

const User = v.strictObject({
  email: v.pipe(v.string(), v.email("use an email address")),
  /** A file that the user's login is written to, in gcloud's format, relative to the seed file. */
  credentials: v.optional(Text),
});

const Seed = v.strictObject({ $schema: v.optional(v.string()), users: v.optional(v.array(User), []), projects: v.array(Project) });

/** The resources of a seed file, in our own spelling, except for bindings, which have Google's. */
export type Seed = v.InferOutput<typeof Seed>;
export type SeedInput = v.InferInput<typeof Seed>;
export type SeedUser = Seed["users"][number];
export type SeedProject = Seed["projects"][number];
export type SeedAccount = SeedProject["accounts"][number];
export type SeedService = SeedProject["services"][number];
export type SeedBinding = SeedProject["bindings"][number];

/** Reads a seed file. Throws NOT_FOUND if it doesn't exist, SETTINGS_INVALID with the place of the first error if it isn't valid. */
export async function readSeedFile(path: string): Promise<Seed> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT")
      throw new CliError("NOT_FOUND", `Seed file not found: ${path}`, {
        next: [nextStep("To create one from the running emulator", "emulator", "export", basename(path))],
      });
    throw new CliError("SETTINGS_INVALID", `Can't read ${path}: ${error.message}.`, { cause: error });
  });
  const result = v.safeParse(Seed, parse(path, text));
  if (result.success) return result.output;
  const [issue] = result.issues;
  const place = (issue.path ?? [])
    .map(({ key }) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`))
    .join("")
    .replace(/^\./, "");
  throw new CliError("SETTINGS_INVALID", `Invalid seed file ${path}: ${place ? `${place}: ` : ""}${issue.message}.`, {
    details: { file: path, place },
  });
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    throw new CliError("SETTINGS_INVALID", `${path} isn't valid JSON: ${(error as Error).message}.`, { details: { file: path } });
  }
}
