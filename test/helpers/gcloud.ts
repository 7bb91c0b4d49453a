import { execa } from "execa";
import { signIn } from "../../src/cloud/gcloud/sign-in.ts";
import { openWorkplace, type Environment, type Given } from "./workplace.ts";

/** The real gcloud, signed in as the operator of the emulator with this environment. */
export function openGcloud(environment: Given) {
  const { folder, env } = openWorkplace(environment);
  let signedIn: Promise<void> | undefined;
  return {
    folder,
    env,
    /** Runs gcloud with a user's arguments; returns stdout and stderr. */
    async gcloud(line: string, extra: Environment = {}): Promise<{ stdout: string; stderr: string }> {
      await (signedIn ??= signIn(env));
      const { stdout, stderr } = await execa("gcloud", line.split(" "), {
        env: { ...env, ...extra },
        extendEnv: false,
        stdin: "ignore",
        cwd: folder,
      });
      return { stdout, stderr };
    },
  };
}
