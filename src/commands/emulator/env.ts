import { signIn } from "../../cloud/gcloud/sign-in.ts";
import { mergeEnvironment } from "../../context/merge-environment.ts";
import type { Context } from "../../context/context.ts";
import { requireEmulator, type EmulatorFlags } from "../../context/emulator-client.ts";

/** Prints the lines that lead a POSIX shell to the running emulator, for `eval`; under `--json` the variables, with null for those to unset. */
export async function emulatorEnv(context: Context, options: EmulatorFlags): Promise<void> {
  const { environment } = await requireEmulator(context, options);
  await signIn(mergeEnvironment(context.env, environment));
  if (context.terminal.json) return context.terminal.printJson(environment);
  const lines = Object.entries(environment).map(([name, value]) =>
    value === null ? `unset ${name}` : `export ${name}='${value.replaceAll("'", `'\\''`)}'`,
  );
  context.terminal.print(`${lines.join("\n")}\n`);
}
