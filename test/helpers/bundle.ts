import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "rolldown";
import { temporaryDirectory } from "./api-server.ts";

/**
 * Bundles a TypeScript program, which imports our sources by absolute path, into one module that Node runs.
 * Returns the module's path; its folder is removed after the test.
 */
export async function bundleProgram(source: string): Promise<string> {
  const folder = temporaryDirectory();
  const program = join(folder, "main.ts");
  writeFileSync(program, source);
  return bundleFile(program, join(folder, "main.mjs"));
}

/** Bundles a module and all that it imports into the file `bundle`, and returns the path of that. */
export async function bundleFile(input: string, bundle: string): Promise<string> {
  await build({ input, platform: "node", logLevel: "silent", output: { file: bundle, format: "es", codeSplitting: false } });
  return bundle;
}
