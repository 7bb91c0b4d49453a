/** The variables of a build, such as GOOGLE_ENTRYPOINT. */
export type BuildEnvironment = Readonly<Record<string, string>>;

/** What buildpacks make of a source: how an image of it is built, and what they say meanwhile. */
export interface Application {
  readonly buildpacks: readonly Buildpack[];
  /** Does what the buildpacks do. */
  readonly dockerfile: string;
}

interface Buildpack {
  readonly id: string;
  readonly title: string;
  /** What it logs. */
  readonly notes: readonly string[];
}

/** A start command as a shell takes it, with where it was found. */
export interface Entrypoint {
  readonly command: string;
  readonly note: string;
}

/** The buildpack that stands for an explicit start command. */
export function entrypointBuildpack({ note }: Entrypoint): Buildpack {
  return { id: "google.config.entrypoint", title: "Entrypoint", notes: [note] };
}

/** The lines of a Dockerfile that lay the source and the build's variables where the others work. */
export function beginDockerfile(base: string, env: BuildEnvironment): string[] {
  const args = Object.entries(env).map(([name, value]) => `ARG ${name}="${value.replace(/[\\"$]/g, "\\$&")}"`);
  return [`FROM ${base}`, "WORKDIR /workspace", ...args, "COPY . ./"];
}

/** The line of a Dockerfile for a command that a shell runs when an instance starts. */
export function startByShell(command: string): string {
  return `CMD ${JSON.stringify(["/bin/sh", "-c", command])}`;
}
