import { BuildError } from "../engine/engine.ts";
import {
  beginDockerfile,
  entrypointBuildpack,
  startByShell,
  type Application,
  type BuildEnvironment,
  type Entrypoint,
} from "./application.ts";
import type { Source } from "./source.ts";

const DEFAULT_VERSION = "3.13";
const REQUIREMENTS = "requirements.txt";

/** Python by pip: https://cloud.google.com/docs/buildpacks/python. Throws a BuildError where there is no start command to be found. */
export function buildPython(source: Source, env: BuildEnvironment, entrypoint: Entrypoint | undefined): Application {
  if (source.has("pyproject.toml") && !source.has(REQUIREMENTS))
    throw new BuildError(
      `The emulator's buildpacks install by pip from ${REQUIREMENTS}, and not from pyproject.toml. A Dockerfile may say more.`,
    );
  const version = versionOf(source, env);
  const requirements = source.has(REQUIREMENTS) ? source.read(REQUIREMENTS) : "";
  const found = entrypoint ?? defaultEntrypoint(source, requirements, version);
  // The buildpack of web servers: an application that says nothing of its start is to have one.
  const adds = !entrypoint && !requires(requirements, "gunicorn");
  const installs = [
    ...(source.has(REQUIREMENTS) ? [`-r ${REQUIREMENTS}`] : []),
    ...(adds && found.command.includes("gunicorn") ? ["gunicorn"] : []),
  ];
  return {
    buildpacks: [
      { id: "google.python.runtime", title: "Python - Runtime", notes: [`Installing Python v${version}.`] },
      ...(installs.length > 0 ? [{ id: "google.python.pip", title: "Python - pip", notes: ["Installing application dependencies."] }] : []),
      entrypoint
        ? entrypointBuildpack(entrypoint)
        : { id: "google.python.missing-entrypoint", title: "Python - Missing Entrypoint", notes: [found.note] },
    ],
    dockerfile: [
      ...beginDockerfile(`python:${version}-slim`, env),
      ...installs.map((what) => `RUN pip install --no-cache-dir ${what}`),
      "ENV PYTHONUNBUFFERED=TRUE",
      startByShell(found.command),
    ].join("\n"),
  };
}

function versionOf(source: Source, env: BuildEnvironment): string {
  const file = source.has(".python-version") ? source.read(".python-version").trim() : "";
  const said = env["GOOGLE_PYTHON_VERSION"] ?? env["GOOGLE_RUNTIME_VERSION"] ?? file;
  return /^(\d+\.\d+)/.exec(said)?.[1] ?? DEFAULT_VERSION;
}

/** How an application of Python is started that does not say how. From 3.13 on its requirements tell. */
function defaultEntrypoint(source: Source, requirements: string, version: string): Entrypoint {
  const file = ["main.py", "app.py"].find((name) => source.has(name));
  if (file === undefined)
    throw new BuildError(
      'for Python, provide a main.py or app.py file or set an entrypoint with "GOOGLE_ENTRYPOINT" env var or by creating a "Procfile" file',
    );
  const command = commandOf(Number(version.split(".")[1]) >= 13 ? requirements : "", file);
  return { command: `exec ${command.shell}`, note: `WARNING: Setting default entrypoint: "${command.shown}"` };
}

// Unlike Cloud Run: a default entrypoint of Python listens on PORT, and on the address that HOST asks for; buildpacks' own is always 0.0.0.0:8080.
function commandOf(requirements: string, file: string): { readonly shown: string; readonly shell: string } {
  const module = `${file.replace(/\.py$/, "")}:app`;
  const [host, port] = ['"${HOST:-0.0.0.0}"', '"$PORT"'];
  const gunicorn = { shown: `gunicorn -b :8080 ${module}`, shell: `gunicorn -b ${host}:${port} ${module}` };
  const uvicorn = { shown: `uvicorn ${module} --port 8080 --host 0.0.0.0`, shell: `uvicorn ${module} --port ${port} --host ${host}` };
  if (requires(requirements, "gunicorn")) return gunicorn;
  if (requires(requirements, "uvicorn") || requires(requirements, "fastapi", "standard")) return uvicorn;
  if (requires(requirements, "gradio"))
    return { shown: `python ${file}`, shell: `env GRADIO_SERVER_NAME=${host} GRADIO_SERVER_PORT=${port} python ${file}` };
  if (requires(requirements, "streamlit"))
    return {
      shown: `streamlit run ${file} --server.address 0.0.0.0 --server.port 8080`,
      shell: `streamlit run ${file} --server.address ${host} --server.port ${port}`,
    };
  return gunicorn;
}

/** Whether a requirements file names a package, with an extra of it where that is said. */
function requires(requirements: string, name: string, extra?: string): boolean {
  const extras = extra === undefined ? "(\\[[^\\]]*\\])?" : `\\[[^\\]]*\\b${extra}\\b[^\\]]*\\]`;
  return new RegExp(`^\\s*${name}${extras}\\s*([=<>!~;@#,]|$)`, "im").test(requirements);
}
