import { chmod, stat } from "node:fs/promises";
import { basename, relative } from "node:path";
import { readKeyFile } from "../../auth/key-file.ts";
import { CliError } from "../../errors/cli-error.ts";
import { findGitFile } from "../keys/git-file.ts";
import { formatCount, fail, ok, skip, warn, type Check } from "./check.ts";
import type { Facts } from "./facts.ts";
import { ignoreMissing, Skipped } from "./require-fact.ts";

const DAY_MS = 86_400_000;
/** https://cloud.google.com/iam/docs/best-practices-for-managing-service-account-keys */
const MAX_KEY_AGE_DAYS = 90;

/** The files of the credentials: who can read them, how old a key is, and whether git has it. */
export const keyFileChecks: readonly Check[] = [
  {
    name: "key-file",
    async run(facts) {
      const files = await findCredentialFiles(facts);
      for (const file of files) {
        const mode = (await stat(file)).mode & 0o777;
        // On Windows, which has no such bits, every file looks open.
        if ((mode & 0o077) === 0 || facts.context.env["PATHEXT"]) continue;
        const remedy = `chmod 600 ${shellQuote(file)}`;
        return warn(`Others on this machine may read ${file} (its mode is ${mode.toString(8)}).`, {
          remedy,
          details: { file, mode: mode.toString(8) },
          fix: { question: `Make ${file} readable for you alone?`, plan: [remedy], apply: () => chmod(file, 0o600) },
        });
      }
      return ok(`${files.join(" and ")} can be read, and by you alone.`, { details: { files } });
    },
  },
  {
    name: "key-age",
    async run(facts) {
      const keys = await Promise.all((await findCredentialFiles(facts)).map((file) => readKeyAge(facts, file)));
      const [oldest] = keys.filter((key) => key !== undefined).toSorted((a, b) => b.days - a.days);
      if (!oldest) return skip("The credentials are no service account's key.");
      const { account, key_id: id, days, created, file } = oldest;
      const details = { account, key_id: id, file, days, by: created === undefined ? "file" : "api" };
      const age = `The key of ${account} is ${formatCount(days, "day")} old${created === undefined ? ", by its file's date" : ""}`;
      if (days <= MAX_KEY_AGE_DAYS) return ok(`${age}.`, { details });
      return warn(`${age}: Google advises to change keys every ${MAX_KEY_AGE_DAYS} days, or to do without.`, {
        remedy: `gcloud iam service-accounts keys create NEW.json --iam-account ${account}\ngcloud iam service-accounts keys delete ${id} --iam-account ${account}`,
        details,
      });
    },
  },
  {
    name: "key-in-git",
    async run(facts) {
      const { cwd } = facts.context;
      const files = await findCredentialFiles(facts);
      for (const file of files) {
        const status = (await findGitFile(file, facts.context))?.status;
        const details = { file, git: status };
        const name = relative(cwd, file).startsWith("..") ? file : relative(cwd, file);
        if (status === "tracked")
          return fail("CREDENTIALS_INVALID", `git follows ${file}: whoever has the repository has the credential.`, {
            remedy: `git rm --cached ${shellQuote(name)}`,
            details: { ...details, advice: "Delete the key, too, and make a new one: what was committed stays in the history." },
          });
        if (status === "exposed")
          return warn(`${file} lies in a git work tree, and is not ignored: the next git add takes it up.`, {
            remedy: `echo ${shellQuote(basename(file))} >> ${shellQuote(`${file.slice(0, -basename(file).length)}.gitignore`)}`,
            details,
          });
        if (status === "unknown")
          return warn(`${file} lies in a git work tree, and git does not say whether it is ignored.`, {
            remedy: `git check-ignore -v ${shellQuote(file)}`,
            details,
          });
      }
      return ok(`git has nothing of ${files.join(" or ")}.`, { details: { files } });
    },
  },
];

/** The files that the credentials come from. Throws Skipped if they come from none. */
async function findCredentialFiles({ caller, deployer }: Facts): Promise<string[]> {
  const results = await Promise.allSettled([caller(), deployer()]);
  const files = results.flatMap((result) => (result.status === "fulfilled" && result.value.file !== undefined ? [result.value.file] : []));
  if (files.length > 0) return [...new Set(files)];
  const [first] = results;
  if (first.status === "rejected" && first.reason instanceof CliError) throw new Skipped("Not looked at: see credentials.");
  throw new Skipped("The credentials come from no file.");
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
    const { validAfterTime = "" } = (await (await client()).call({ method: "GET", url })) as { readonly validAfterTime?: string };
    const time = Date.parse(validAfterTime);
    return Number.isNaN(time) ? undefined : time;
  } catch (error) {
    return ignoreMissing(error);
  }
}

function shellQuote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
