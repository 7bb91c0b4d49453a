import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { detectApplication } from "../../../src/emulator/buildpacks/detect.ts";
import { openSourceFiles } from "../../../src/emulator/buildpacks/source-files.ts";
import { temporaryDirectory } from "../../helpers/api-server.ts";

type Files = Readonly<Record<string, string>>;

function detectIn(files: Files, env: Readonly<Record<string, string>> = {}) {
  const folder = temporaryDirectory();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const application = detectApplication(openSourceFiles(folder), env);
  return application && { ids: application.buildpacks.map(({ id }) => id), lines: application.dockerfile.split("\n") };
}

const packageJson = (content: object) => ({ "package.json": JSON.stringify(content) });
const start = (files: Files, env = {}) => detectIn(files, env)?.lines.at(-1);

test("a package.json with a lock file installs the locked versions, for production", () => {
  expect(detectIn({ ...packageJson({ scripts: { start: "node ." } }), "package-lock.json": "{}" })).toEqual({
    ids: ["google.nodejs.runtime", "google.nodejs.npm"],
    lines: [
      "FROM node:22-slim",
      "WORKDIR /workspace",
      "COPY . ./",
      "ARG NODE_ENV=production",
      "RUN npm ci --quiet --no-fund --no-audit",
      "ENV NODE_ENV=production PATH=/workspace/node_modules/.bin:$PATH",
      'CMD ["npm","run","start"]',
    ],
  });
});

test("a build script has development dependencies, which are pruned afterwards; gcp-build takes precedence over build", () => {
  const manifest = { engines: { node: "^20.1" }, scripts: { build: "tsc", "gcp-build": "tsc -p ." }, devDependencies: { typescript: "5" } };
  expect(detectIn({ ...packageJson(manifest), "package-lock.json": "{}" })?.lines).toEqual(
    expect.arrayContaining([
      "FROM node:20-slim",
      "ARG NODE_ENV=development",
      "RUN npm ci --quiet --no-fund --no-audit",
      "RUN npm run gcp-build",
      "RUN npm prune --omit=dev",
    ]),
  );
  const lines = detectIn({ ...packageJson(manifest), "package-lock.json": "{}" }, { GOOGLE_NODE_RUN_SCRIPTS: "" })?.lines.join("\n");
  expect(lines).not.toContain("npm run");
});

test("a missing lock file is created", () => {
  const lines = detectIn(packageJson({}))?.lines;
  expect(lines).toContain("RUN npm install --package-lock-only --quiet");
});

test.for<[string, Files, string]>([
  ["scripts.start", packageJson({ scripts: { start: "x" }, main: "a.js" }), 'CMD ["npm","run","start"]'],
  ["a server.js", { ...packageJson({ main: "a.js" }), "server.js": "" }, 'CMD ["npm","run","start"]'],
  ["main", packageJson({ main: "a.js" }), 'CMD ["node","a.js"]'],
  ["nothing", packageJson({}), 'CMD ["node","index.js"]'],
  [
    "a Procfile",
    { ...packageJson({ scripts: { start: "x" } }), Procfile: "worker: no\nweb: node --inspect a.js\r\n" },
    'CMD ["/bin/sh","-c","node --inspect a.js"]',
  ],
])("Node starts with %s", ([, files, command]) => {
  expect(start(files)).toBe(command);
});

const gunicorn = (module: string) => `CMD ["/bin/sh","-c","exec gunicorn -b \\"\${HOST:-0.0.0.0}\\":\\"$PORT\\" ${module}"]`;
const uvicorn = `CMD ["/bin/sh","-c","exec uvicorn main:app --port \\"$PORT\\" --host \\"\${HOST:-0.0.0.0}\\""]`;

test.for<[string, Files, string]>([
  ["main.py by gunicorn", { "main.py": "", "app.py": "" }, gunicorn("main:app")],
  ["app.py by gunicorn", { "app.py": "", "requirements.txt": "flask==3.0\nGunicorn>=20\nuvicorn" }, gunicorn("app:app")],
  ["uvicorn if required", { "main.py": "", "requirements.txt": "starlette\nuvicorn[standard]==0.30\n" }, uvicorn],
  ["uvicorn for FastAPI with its standard extra", { "main.py": "", "requirements.txt": "fastapi[standard]>=0.110\n" }, uvicorn],
  ["gunicorn for FastAPI alone", { "main.py": "", "requirements.txt": "fastapi\nuvicorn-worker\n" }, gunicorn("main:app")],
  [
    "gunicorn before 3.13 in any case",
    { "main.py": "", "requirements.txt": "uvicorn", ".python-version": "3.12.4\n" },
    gunicorn("main:app"),
  ],
])("Python starts %s", ([, files, command]) => {
  expect(start(files)).toBe(command);
});

test("Python installs its requirements, and gunicorn if they lack the server that is started", () => {
  expect(detectIn({ "main.py": "", "requirements.txt": "flask" })).toEqual({
    ids: ["google.python.runtime", "google.python.pip", "google.python.missing-entrypoint"],
    lines: expect.arrayContaining([
      "FROM python:3.13-slim",
      "RUN pip install --no-cache-dir -r requirements.txt",
      "RUN pip install --no-cache-dir gunicorn",
      "ENV PYTHONUNBUFFERED=TRUE",
    ]),
  });
  expect(detectIn({ "x.py": "", "requirements.txt": "flask" }, { GOOGLE_ENTRYPOINT: "python x.py" })?.lines.join()).not.toContain(
    "gunicorn",
  );
});

test("with an entrypoint, Python takes precedence over Node, as in Google's builder", () => {
  const both = { ...packageJson({}), "main.py": "" };
  expect(detectIn(both)?.ids[0]).toBe("google.nodejs.runtime");
  expect(detectIn(both, { GOOGLE_ENTRYPOINT: "python main.py" })?.ids).toEqual(["google.python.runtime", "google.config.entrypoint"]);
  expect(detectIn(both, { GOOGLE_RUNTIME: "python313" })?.ids[0]).toBe("google.python.runtime");
});

test("a build's variables are set when its commands run", () => {
  expect(detectIn(packageJson({}), { GREETING: 'say "$5"' })?.lines).toContain('ARG GREETING="say \\"\\$5\\""');
});

test("a source of no supported language matches no buildpack", () => {
  expect(detectIn({ "README.md": "" })).toBeUndefined();
  expect(detectIn({ "index.js": "" })).toBeUndefined();
  expect(detectIn({ "node_modules/a/setup.py": "" })).toBeUndefined();
  const folder = temporaryDirectory();
  symlinkSync("/etc/hostname", join(folder, "package.json"));
  expect(detectApplication(openSourceFiles(folder), {})).toBeUndefined();
});

test.for<[Files, string]>([
  [{ "x.py": "" }, 'for Python, provide a main.py or app.py file or set an entrypoint with "GOOGLE_ENTRYPOINT" env var'],
  [{ "main.py": "", Procfile: "worker: x\nrelease: y" }, "web process not found in Procfile, found processes: [worker release]"],
  [{ "package.json": "{" }, "unmarshalling package.json"],
  [{ ...packageJson({}), "yarn.lock": "" }, "not Yarn"],
  [{ "main.py": "", "pyproject.toml": "" }, "not from pyproject.toml"],
  [{ "go.mod": "" }, "not for Go"],
])("%j fails the build with a message", ([files, message]) => {
  expect(() => detectIn(files)).toThrow(message);
});
