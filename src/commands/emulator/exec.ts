import { spawn } from "node:child_process";
import { constants } from "node:os";
import { signIn } from "../../cloud/gcloud/sign-in.ts";
import { mergeEnvironment } from "../../context/merge-environment.ts";
import type { Context, Environment } from "../../context/context.ts";
import { nodeProgramEnvironment, type EmulatorStatus } from "../../emulator/index.ts";
import { CliError } from "../../errors/cli-error.ts";
import { nextStep } from "../../errors/next-step.ts";
import { findEmulator, type EmulatorFlags } from "../../context/emulator-client.ts";
import { withTemporaryEmulator } from "../../context/start-emulator.ts";
import { printPlan } from "../../context/print-plan.ts";

/**
 * Runs a program against the emulator, and returns the program's exit code.
 * If no emulator is running, starts one for the program, without data that stays.
 */
export async function emulatorExec(context: Context, options: EmulatorFlags): Promise<number | void> {
  const [program, ...argv] = context.passedArguments;
  if (program === undefined)
    throw new CliError("USAGE", "No command specified.", { next: [nextStep("To run a program", "emulator", "exec", "--", "COMMAND")] });

  if (context.dryRun) return printPlan(context.terminal, [context.passedArguments.join(" ")]);
  const running = await findEmulator(context, options);
  const runOn = (emulator: EmulatorStatus) =>
    run(context, mergeEnvironment(context.env, nodeProgramEnvironment(emulator, context.env)), program, argv);
  return running ? runOn(running) : withTemporaryEmulator(context, (emulator) => runOn(emulator.status()));
}

async function run(context: Context, env: Environment, program: string, argv: readonly string[]): Promise<number> {
  await signIn(env);
  return new Promise((resolve, reject) => {
    const child = spawn(program, argv, { cwd: context.cwd, env: { ...env }, stdio: "inherit" });
    // A terminal sends Ctrl-C to the program, too. A signal to this process alone must be forwarded.
    const forwardSignal = (): void => {
      const { reason } = context.signal as { readonly reason: unknown };
      const isInterrupt = reason instanceof CliError && reason.subject?.name === "SIGINT";
      if (!(isInterrupt && context.terminal.interactive)) child.kill(isInterrupt ? "SIGINT" : "SIGTERM");
    };
    context.signal.addEventListener("abort", forwardSignal);
    if (context.signal.aborted) forwardSignal();
    child.once("error", (error: NodeJS.ErrnoException) => {
      const reason = error.code === "ENOENT" ? "command not found" : error.message;
      reject(new CliError("USAGE", `Can't run "${program}": ${reason}.`, { cause: error }));
    });
    child.once("exit", (code, signal) => {
      context.signal.removeEventListener("abort", forwardSignal);
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 0));
    });
  });
}
