import { BuildError } from "../../engine/engine.ts";
import type { Runtime } from "../../runtime.ts";
import type { BuildStep } from "../build-request.ts";
import { runDockerStep } from "./docker-step.ts";
import { runPackStep } from "./pack-step.ts";
import type { Workspace } from "../workspace.ts";

type RunStep = (
  builder: Pick<Runtime, "state" | "engine" | "now">,
  step: BuildStep,
  workspace: Workspace,
  log: (text: string) => void,
) => Promise<void>;

/** The builders that steps may run, by the program that they are entered at. */
const BUILDERS: readonly { readonly image: RegExp; readonly program: string; readonly run: RunStep }[] = [
  { image: /^(?:gcr\.io\/cloud-builders\/)?docker(?:[:@].*)?$/, program: "docker", run: runDockerStep },
  { image: /^(?:gcr\.io\/k8s-skaffold\/|buildpacksio\/)?pack(?:[:@].*)?$/, program: "pack", run: runPackStep },
];

/** Carries out a step of a build. Throws a BuildError where it fails, or is none that the emulator carries out. */
export const runStep: RunStep = (builder, step, workspace, log) => {
  const { name, script, entrypoint } = step;
  const found = BUILDERS.find(({ image, program }) => image.test(name) && script === undefined && (entrypoint ?? program) === program);
  if (found) return found.run(builder, step, workspace, log);
  const what = script === undefined && entrypoint === undefined ? name : `${name} with a script or entrypoint of its own`;
  throw new BuildError(
    `The emulator only runs docker build, push and tag steps (gcr.io/cloud-builders/docker) and pack steps, not ${what}.`,
  );
};
