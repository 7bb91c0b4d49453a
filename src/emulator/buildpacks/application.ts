/** A build's variables, such as GOOGLE_ENTRYPOINT. */
export type BuildEnvironment = Readonly<Record<string, string>>;

/** How buildpacks build a source, and what they log. */
export interface Application {
  readonly buildpacks: readonly Buildpack[];
  /** Has the same effect as the buildpacks. */
  readonly dockerfile: string;
}

interface Buildpack {
  readonly id: string;
  readonly title: string;
  readonly notes: readonly string[];
}

/** A start command for a shell, with a note that says where it was found. */
export interface Entrypoint {
  readonly command: string;
  readonly note: string;
}

/** The buildpack of an explicit start command. */
export function entrypointBuildpack({ note }: Entrypoint): Buildpack {
  return { id: "google.config.entrypoint", title: "Entrypoint", notes: [note] };
}

export function dockerfileHeader(base: string, env: BuildEnvironment): string[] {
  const args = Object.entries(env).map(([name, value]) => `ARG ${name}="${value.replace(/[\\"$]/g, "\\$&")}"`);
  return [`FROM ${base}`, "WORKDIR /workspace", ...args, "COPY . ./"];
}

export function shellCmd(command: string): string {
  return `CMD ${JSON.stringify(["/bin/sh", "-c", command])}`;
}
