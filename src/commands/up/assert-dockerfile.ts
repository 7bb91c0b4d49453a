import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Context } from "../../context/context.ts";
import { relativePath } from "../../context/relative-path.ts";
import { CliError } from "../../errors/cli-error.ts";
import { nextStep } from "../../errors/next-step.ts";

/** Throws NOT_FOUND if the folder doesn't exist, or has no Dockerfile. */
export async function assertDockerfile({ cwd }: Pick<Context, "cwd">, directory: string): Promise<void> {
  const path = relativePath(cwd, directory);
  const stats = await stat(directory).catch(() => undefined);
  if (!stats?.isDirectory())
    throw new CliError("NOT_FOUND", `Directory not found: ${path}`, { next: [nextStep("To create a service there", "init", path)] });
  if (await stat(join(directory, "Dockerfile")).catch(() => undefined)) return;
  throw new CliError("NOT_FOUND", path === "." ? "No Dockerfile in the current directory." : `No Dockerfile in ${path}.`, {
    next: [nextStep("To deploy from source without one", "deploy", "--source", path)],
  });
}
