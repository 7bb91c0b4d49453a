import { chmod, stat } from "node:fs/promises";
import { basename, relative } from "node:path";
import { readKeyFile } from "../../auth/key-file.ts";
import { CliError } from "../../errors/cli-error.ts";
import { ignoreMissing, count, fail, ok, skip, Skipped, warn, type Check } from "./check.ts";
import { findGitFile } from "../keys/git-file.ts";
import type { World } from "./facts.ts";

const DAY = 86_400_000;
/** Days. https://cloud.google.com/iam/docs/best-practices-for-managing-service-account-keys */
const OLD = 90;

/** About the files that the credentials came from: who may read them, how old a key is, and whether git has it. */
export const keyFileChecks: readonly Check[] = [
  {
    name: "key-file",
    async run(world) {
      const files = await findFiles(world);
      for (const file of files) {
        const mode = (await stat(file)).mode & 0o777;
        // Windows has no such bits: there all files seem open.
        if ((mode & 0o077) === 0 || world.context.env["PATHEXT"]) continue;
        const remedy = `chmod 600 ${quote(file)}`;
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
    async run(world) {
      const keys = await Promise.all((await findFiles(world)).map((file) => readAge(world, file)));
      const [oldest] = keys.filter((key) => key !== undefined).toSorted((a, b) => b.days - a.days);
      if (!oldest) return skip("The credentials are no service account's key.");
      const { account, key_id: id, days, made, file } = oldest;
      const details = { account, key_id: id, file, days, by: made === undefined ? "file" : "api" };
      const age = `The key of ${account} is ${count(days, "day")} old${made === undefined ? ", by its file's date" : ""}`;
      if (days <= OLD) return ok(`${age}.`, { details });
      return warn(`${age}: Google advises to change keys every ${OLD} days, or to do without.`, {
        remedy: `gcloud iam service-accounts keys create NEW.json --iam-account ${account}\ngcloud iam service-accounts keys delete ${id} --iam-account ${account}`,
        details,
      });
    },
  },
  {
    name: "key-in-git",
    async run(world) {
      const { cwd } = world.context;
      const files = await findFiles(world);
      for (const file of files) {
        const status = (await findGitFile(file, world.context))?.status;
        const details = { file, git: status };
        const name = relative(cwd, file).startsWith("..") ? file : relative(cwd, file);
        if (status === "tracked")
          return fail("CREDENTIALS_INVALID", `git follows ${file}: whoever has the repository has the credential.`, {
            remedy: `git rm --cached ${quote(name)}`,
            details: { ...details, advice: "Delete the key, too, and make a new one: what was committed stays in the history." },
          });
        if (status === "exposed")
          return warn(`${file} lies in a git work tree, and is not ignored: the next git add takes it up.`, {
            remedy: `echo ${quote(basename(file))} >> ${quote(`${file.slice(0, -basename(file).length)}.gitignore`)}`,
            details,
          });
        if (status === "unknown")
          return warn(`${file} lies in a git work tree, and git does not say whether it is ignored.`, {
            remedy: `git check-ignore -v ${quote(file)}`,
            details,
          });
      }
      return ok(`git has nothing of ${files.join(" or ")}.`, { details: { files } });
    },
  },
];

/** The files of the credentials that were found; Skipped where there are none. Throws where a file cannot be used at all. */
async function findFiles({ caller, deployer }: World): Promise<string[]> {
  const found = await Promise.allSettled([caller(), deployer()]);
  const files = found.flatMap((each) => (each.status === "fulfilled" && each.value.file !== undefined ? [each.value.file] : []));
  if (files.length > 0) return [...new Set(files)];
  const [first] = found;
  if (first.status === "rejected" && first.reason instanceof CliError) throw new Skipped("Not looked at: see credentials.");
  throw new Skipped("The credentials come from no file.");
}

/** How old a key is; undefined for another kind of credential. */
async function readAge(world: World, file: string) {
  const key = await readKeyFile(file).catch(ignoreMissing);
  if (!key) return undefined;
  const { client_email: account, private_key_id: key_id } = key;
  const made = await findBirth(world, account, key_id);
  const since = made ?? (await stat(file)).mtimeMs;
  return { account, key_id, file, made, days: Math.max(0, Math.floor((Date.now() - since) / DAY)) };
}

/** When a key was made, in milliseconds since the epoch, by IAM; undefined where that may not be asked. */
async function findBirth({ client }: World, account: string, id: string): Promise<number | undefined> {
  try {
    const url = `https://iam.googleapis.com/v1/projects/-/serviceAccounts/${account}/keys/${id}`;
    const { validAfterTime = "" } = (await (await client()).call({ method: "GET", url })) as { readonly validAfterTime?: string };
    const time = Date.parse(validAfterTime);
    return Number.isNaN(time) ? undefined : time;
  } catch (error) {
    return ignoreMissing(error);
  }
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
