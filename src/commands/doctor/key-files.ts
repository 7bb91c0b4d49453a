import { chmod, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { readKeyFile } from "../../auth/key-file.ts";
import { CliError } from "../../errors/cli-error.ts";
import { externalStep, nextStep } from "../../errors/next-step.ts";
import { findGitFile } from "../keys/git-file.ts";
import { fail, ok, skip, warn, type Check } from "./check.ts";
import type { Facts } from "./facts.ts";
import { dependsOn, ignoreMissing, Skipped } from "./require-fact.ts";

const DAY_MS = 86_400_000;
/** https://cloud.google.com/iam/docs/best-practices-for-managing-service-account-keys */
const MAX_KEY_AGE_DAYS = 90;

/** The files of the credentials: who can read them, how old a key is, and whether Git has it. */
export const keyFileChecks: readonly Check[] = [
  {
    name: "key-file",
    async run(facts) {
      const files = await findCredentialFiles(facts);
      for (const file of files) {
        const mode = (await stat(file)).mode & 0o777;
        // On Windows, which has no such bits, every file looks open.
        if ((mode & 0o077) === 0 || facts.context.env["PATHEXT"]) continue;
        return warn(`Other users can read ${file} (mode ${mode.toString(8)}).`, {
          details: { file, mode: mode.toString(8) },
          fix: {
            question: `Make ${file} readable only by you?`,
            running: `Restricting ${file}`,
            done: `Only you can read ${file}`,
            plan: [`chmod 600 ${file}`],
            apply: () => chmod(file, 0o600),
          },
        });
      }
      return ok(`Only you can read ${files.join(" and ")}.`, { details: { files } });
    },
  },
  {
    name: "key-age",
    async run(facts) {
      const keys = await Promise.all((await findCredentialFiles(facts)).map((file) => readKeyAge(facts, file)));
      const [oldest] = keys.filter((key) => key !== undefined).toSorted((a, b) => b.days - a.days);
      if (!oldest) return skip("The credentials aren't a service account key.");
      const { account, key_id, days, created, file } = oldest;
      const details = { account, key_id, file, days, by: created === undefined ? "file" : "api" };
      const age = `${days} ${days === 1 ? "day" : "days"} old${created === undefined ? " (based on the file's date)" : ""}`;
      if (days <= MAX_KEY_AGE_DAYS) return ok(`The key for ${account} is ${age}.`, { details });
      return warn(`The key for ${account} is ${age}. Google recommends rotating keys every ${MAX_KEY_AGE_DAYS} days.`, {
        next: [nextStep("To replace it", "keys", "rotate", file)],
        details,
      });
    },
  },
  {
    name: "key-in-git",
    async run(facts) {
      const files = await findCredentialFiles(facts);
      for (const file of files) {
        const status = (await findGitFile(file, facts.context))?.status;
        const details = { file, git: status };
        if (status === "tracked")
          return fail("CREDENTIALS_INVALID", `Git tracks ${file}: anyone with access to the repository has the credential.`, {
            hint: "The file stays in the repository's history, so replace the key too.",
            next: [
              externalStep("To stop tracking it", "git", "-C", dirname(file), "rm", "--cached", basename(file)),
              nextStep("To replace the key", "keys", "rotate", file),
            ],
            details,
          });
        if (status === "exposed")
          return warn(`${file} is in a Git repository and isn't ignored.`, {
            hint: `Add ${basename(file)} to ${join(dirname(file), ".gitignore")}.`,
            details,
          });
        if (status === "unknown")
          return warn(`${file} is in a Git repository, but Git doesn't report whether it's ignored.`, {
            next: [externalStep("To check", "git", "-C", dirname(file), "check-ignore", "-v", basename(file))],
            details,
          });
      }
      return ok("No key files are tracked by Git.", { details: { files } });
    },
  },
];

/** The files that the credentials come from. Throws Skipped if they come from none. */
async function findCredentialFiles({ caller, deployer }: Facts): Promise<string[]> {
  const results = await Promise.allSettled([caller(), deployer()]);
  const files = results.flatMap((result) => (result.status === "fulfilled" && result.value.file !== undefined ? [result.value.file] : []));
  if (files.length > 0) return [...new Set(files)];
  const [first] = results;
  if (first.status === "rejected" && first.reason instanceof CliError) throw dependsOn("credentials");
  throw new Skipped("The credentials don't come from a file.");
}

/** The age of a key; undefined for another type of credentials. */
async function readKeyAge(facts: Facts, file: string) {
  const key = await readKeyFile(file).catch(ignoreMissing);
  if (!key) return undefined;
  const { client_email: account, private_key_id: key_id } = key;
  const created = await readCreationTime(facts, account, key_id);
  const since = created ?? (await stat(file)).mtimeMs;
  return { account, key_id, file, created, days: Math.max(0, Math.floor((Date.now() - since) / DAY_MS)) };
}

/** When IAM created a key, in milliseconds since the epoch; undefined if the deployer can't look it up. */
async function readCreationTime({ client }: Facts, account: string, id: string): Promise<number | undefined> {
  try {
    const url = `https://iam.googleapis.com/v1/projects/-/serviceAccounts/${account}/keys/${id}`;
    const { validAfterTime = "" } = await (await client()).call<{ readonly validAfterTime?: string }>({ method: "GET", url });
    const time = Date.parse(validAfterTime);
    return Number.isNaN(time) ? undefined : time;
  } catch (error) {
    return ignoreMissing(error);
  }
}
