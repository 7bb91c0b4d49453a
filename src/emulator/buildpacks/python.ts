import { BuildError } from "../engine/engine.ts";
import {
  dockerfileHeader,
  entrypointBuildpack,
  shellCmd,
  type Application,
  type BuildEnvironment,
  type Entrypoint,
} from "./application.ts";
import type { SourceFiles } from "./source-files.ts";

const DEFAULT_VERSION = "3.13";
const REQUIREMENTS = "requirements.txt";

/** https://cloud.google.com/docs/buildpacks/python. Throws a BuildError if no start command can be found. */
export function planPythonApplication(source: SourceFiles, env: BuildEnvironment, entrypoint: Entrypoint | undefined): Application {
  if (source.has("pyproject.toml") && !source.has(REQUIREMENTS))
    throw new BuildError(
      `The emulator's buildpacks install from ${REQUIREMENTS}, not from pyproject.toml. Add one of them, or a Dockerfile.`,
    );
  const version = versionOf(source, env);
  const requirements = source.has(REQUIREMENTS) ? source.read(REQUIREMENTS) : "";
  const startCommand = entrypoint ?? defaultEntrypoint(source, requirements, version);
  // An application without a start command gets a web server.
  const needsServer = !entrypoint && !requires(requirements, "gunicorn");
  const pipArguments = [
    ...(source.has(REQUIREMENTS) ? [`-r ${REQUIREMENTS}`] : []),
    ...(needsServer && startCommand.command.includes("gunicorn") ? ["gunicorn"] : []),
  ];
  return {
    buildpacks: [
      { id: "google.python.runtime", title: "Python - Runtime", notes: [`Installing Python v${version}.`] },
      ...(pipArguments.length > 0
        ? [{ id: "google.python.pip", title: "Python - pip", notes: ["Installing application dependencies."] }]
        : []),
      entrypoint
        ? entrypointBuildpack(entrypoint)
        : { id: "google.python.missing-entrypoint", title: "Python - Missing Entrypoint", notes: [startCommand.note] },
    ],
    dockerfile: [
      ...dockerfileHeader(`python:${version}-slim`, env),
      ...pipArguments.map((argument) => `RUN pip install --no-cache-dir ${argument}`),
      "ENV PYTHONUNBUFFERED=TRUE",
      shellCmd(startCommand.command),
    ].join("\n"),
  };
}

function versionOf(source: SourceFiles, env: BuildEnvironment): string {
  const file = source.has(".python-version") ? source.read(".python-version").trim() : "";
  const version = env["GOOGLE_PYTHON_VERSION"] ?? env["GOOGLE_RUNTIME_VERSION"] ?? file;
  return /^(\d+\.\d+)/.exec(version)?.[1] ?? DEFAULT_VERSION;
}

/** The start command of an application that doesn't set one. From Python 3.13 on, its requirements determine it. */
function defaultEntrypoint(source: SourceFiles, requirements: string, version: string): Entrypoint {
  const file = ["main.py", "app.py"].find((name) => source.has(name));
  if (file === undefined)
    throw new BuildError(
      'for Python, provide a main.py or app.py file or set an entrypoint with "GOOGLE_ENTRYPOINT" env var or by creating a "Procfile" file',
    );
  const command = defaultCommand(Number(version.split(".")[1]) >= 13 ? requirements : "", file);
  return { command: `exec ${command.shell}`, note: `WARNING: Setting default entrypoint: "${command.shown}"` };
}

// Unlike Cloud Run: Python's default entrypoint listens on PORT, and on the address in HOST; that of buildpacks always listens on 0.0.0.0:8080.
function defaultCommand(requirements: string, file: string): { readonly shown: string; readonly shell: string } {
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

/** Whether a requirements file lists a package, with the given extra if any. */
function requires(requirements: string, name: string, extra?: string): boolean {
  const extras = extra === undefined ? "(\\[[^\\]]*\\])?" : `\\[[^\\]]*\\b${extra}\\b[^\\]]*\\]`;
  return new RegExp(`^\\s*${name}${extras}\\s*([=<>!~;@#,]|$)`, "im").test(requirements);
}
