import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Script } from "node:vm";
import { attempt, cacheFolder, isPrivate, makePrivate, writePrivate } from "../settings/private-files.ts";

/** What Node 22 has in `node:module`. */
interface Caching {
  readonly enableCompileCache?: (folder: string) => unknown;
}

/** A file of the program that was compiled in this run, and where that is to be kept. */
interface Fresh {
  readonly script: Script;
  readonly code: string;
  readonly name: string;
}

/** Characters. What is shorter is compiled sooner than it is read. */
const SHORT = 10_000;
/** Milliseconds after which what was kept is taken for another version's of ours. */
const LONG_AGO = 30 * 24 * 3_600_000;
/** What Node gives a CommonJS module: https://nodejs.org/api/modules.html#the-module-wrapper */
const HEAD = "(function (exports, require, module, __filename, __dirname) { ";
/** Bytes of a SHA-256. */
const DIGEST = 32;

/**
 * Keeps what V8 compiled of the program for the starts to come, which takes a sixth off a call: where NODE_COMPILE_CACHE says, or else in the
 * user's cache folder. NODE_DISABLE_COMPILE_CACHE=1 goes without, as Node has it. Has to come before what is large is loaded. `load` is the program's
 * own `require`.
 */
export function keepCompiledCode(run: NodeJS.Process, load: NodeJS.Require): void {
  const { env, version, arch, versions } = run;
  const caches = cacheFolder(env);
  const own = caches && join(caches, "code");
  const folder = env.NODE_COMPILE_CACHE || own;
  if (folder === undefined || env.NODE_DISABLE_COMPILE_CACHE === "1") return;
  // Node 20 has no cache of its own, and takes a while to say so.
  if (Number.parseInt(versions.node, 10) >= 22) {
    if (folder !== own || attempt(() => makePrivate(folder))) (load("node:module") as Caching).enableCompileCache?.(folder);
  } else keepByOurselves(join(folder, `${version}-${arch}`), run, load);
}

function keepByOurselves(folder: string, run: NodeJS.Process, load: NodeJS.Require): void {
  const isUsable = attempt(() => isPrivate(folder, "folder")) ?? false;
  const fresh: Fresh[] = [];
  // Nothing but this package's own files is loaded that ends in .cjs.
  load.extensions[".cjs"] = (module, filename) => {
    const code = readFileSync(filename, "latin1");
    const isKept = code.length > SHORT;
    const name = basename(filename);
    const cachedData = isKept && isUsable ? read(join(folder, name), code) : undefined;
    // Columns are the file's own, for whoever reads a stack trace.
    const script = new Script(`${HEAD}${code}\n})`, {
      filename,
      columnOffset: -HEAD.length,
      ...(cachedData && { cachedData }),
    });
    if (isKept && (!cachedData || script.cachedDataRejected)) fresh.push({ script, code, name });
    const start = script.runInThisContext() as (...given: readonly unknown[]) => void;
    start.call(module.exports, module.exports, (id: string) => module.require(id), module, filename, dirname(filename));
  };
  // By then V8 has compiled, too, what it compiles when it is first called.
  run.once("exit", () => {
    if (fresh.length > 0) attempt(() => write(folder, fresh));
  });
}

/** V8 looks whether what it is given is of its own version, and of a text as long as this one; not whether it is whole. */
function read(path: string, code: string): Buffer | undefined {
  const kept = attempt(() => readFileSync(path));
  if (!kept) return undefined;
  const data = kept.subarray(DIGEST);
  return digestOf(code, data).equals(kept.subarray(0, DIGEST)) ? data : undefined;
}

function write(folder: string, fresh: readonly Fresh[]): void {
  for (const { script, code, name } of fresh) {
    const data = script.createCachedData();
    writePrivate(folder, name, Buffer.concat([digestOf(code, data), data]), LONG_AGO);
  }
}

function digestOf(code: string, data: Buffer): Buffer {
  return createHash("sha256").update(code, "latin1").update(data).digest();
}
