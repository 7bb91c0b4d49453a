import { stat } from "node:fs/promises";
import { join } from "node:path";
import { CliError } from "../../errors/cli-error.ts";

/** Throws NOT_FOUND if the folder doesn't exist, or has no Dockerfile. */
export async function assertDockerfile(directory: string): Promise<void> {
  const stats = await stat(directory).catch(() => undefined);
  if (!stats?.isDirectory())
    throw new CliError("NOT_FOUND", `There is no folder ${directory}.`, { hint: "cloudrun-oauth init makes one with a service in it." });
  const dockerfile = join(directory, "Dockerfile");
  if (await stat(dockerfile).catch(() => undefined)) return;
  throw new CliError("NOT_FOUND", `There is no ${dockerfile}.`, { hint: "Write one, or deploy without: cloudrun-oauth deploy --source ." });
}
