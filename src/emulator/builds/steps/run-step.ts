import { BuildError } from "../../engine/engine.ts";
import type { BuildStep } from "../build-request.ts";
import { runDockerStep } from "./docker-step.ts";
import { runPackStep } from "./pack-step.ts";
import type { Workspace } from "../workspace.ts";

type RunStep = (step: BuildStep, workspace: Workspace) => Promise<void>;

const BUILDERS: readonly { readonly image: RegExp; readonly program: string; readonly run: RunStep }[] = [
  { image: /^(?:gcr\.io\/cloud-builders\/)?docker(?:[:@].*)?$/, program: "docker", run: runDockerStep },
  { image: /^(?:gcr\.io\/k8s-skaffold\/|buildpacksio\/)?pack(?:[:@].*)?$/, program: "pack", run: runPackStep },
];

/** Runs a build step. Throws a BuildError if it fails or isn't supported. */
export const runStep: RunStep = (step, workspace) => {
  const { name, script, entrypoint } = step;
  const builder = BUILDERS.find(({ image, program }) => image.test(name) && script === undefined && (entrypoint ?? program) === program);
  if (builder) return builder.run(step, workspace);
  const description = script === undefined && entrypoint === undefined ? name : `${name} with a custom script or entrypoint`;
  throw new BuildError(
    `The emulator supports only docker build, push, and tag steps (gcr.io/cloud-builders/docker) and pack steps, not ${description}.`,
  );
};
