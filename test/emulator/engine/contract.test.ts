import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { getuid } from "node:process";
import { afterAll, describe, expect, onTestFinished } from "vitest";
import { copyTemplate } from "../../../src/commands/init/copy-template.ts";
import { createContainerEngine } from "../../../src/emulator/engine/container/container-engine.ts";
import type { Engine, Instance, StartOptions } from "../../../src/emulator/engine/engine.ts";
import { createProcessEngine } from "../../../src/emulator/engine/process/process-engine.ts";
import { createReaper } from "../../../src/emulator/engine/reaper.ts";
import type { ImageConfig } from "../../../src/emulator/state/resources.ts";
import { openContainerMachine } from "../../helpers/container-machine.ts";
import { freePort, until } from "../../helpers/process-engine.ts";
import { testNeeding } from "../../helpers/requirements.ts";
import { newFolder } from "../../helpers/template-service.ts";

let machine: ReturnType<typeof openContainerMachine> | undefined;
const ends: (() => Promise<void> | void)[] = [];
afterAll(async () => {
  for (const end of ends) await end();
});

async function containerEngine(podman: string): Promise<Engine> {
  machine ??= openContainerMachine(podman, ["node", "python"], (end) => ends.push(end));
  const { env } = await machine;
  return createContainerEngine({ directory: await newFolder(), shared: [], env, reaper: createReaper() });
}

const COMMANDS = {
  hono: ["node", "server.js"],
  express: ["node", "server.js"],
  flask: ["gunicorn", "main:app"],
  fastapi: ["python3", "main.py"],
};

const REPORT = {
  node: [
    "node",
    "-e",
    "console.error('to stderr'); console.log(JSON.stringify({ env: process.env, uid: process.getuid(), cwd: process.cwd() }))",
  ],
  python: [
    "python3",
    "-c",
    "import json, os, sys; print('to stderr', file=sys.stderr); print(json.dumps({'env': dict(os.environ), 'uid': os.getuid(), 'cwd': os.getcwd()}))",
  ],
};

const LEAK = {
  node: ["node", "-e", "const leaked = []; for (;;) leaked.push(Buffer.alloc(1 << 20, 1));"],
  python: ["python3", "-c", "leaked = []\nwhile True: leaked.append(b'1' * (1 << 20))"],
};

const IGNORE_SIGTERM = {
  node: ["node", "-e", "process.on('SIGTERM', () => console.log('no')); setInterval(() => {}, 1000); console.log('ready')"],
  python: [
    "python3",
    "-c",
    "import signal, time\nsignal.signal(signal.SIGTERM, lambda *_: print('no', flush=True))\nprint('ready', flush=True)\nwhile True: time.sleep(1)",
  ],
};

// https://cloud.google.com/run/docs/container-contract
describe.for(
  (["hono", "express", "flask", "fastapi"] as const).flatMap((template) => [
    { template, engineName: "process" },
    { template, engineName: "container" },
  ]),
)("$template with the $engineName engine", ({ template, engineName }) => {
  const language = template === "hono" || template === "express" ? "node" : "python";
  const inContainer = engineName === "container";
  const needs = [...(inContainer ? (["podman"] as const) : []), ...(language === "python" ? (["python"] as const) : [])];
  let image: { engine: Engine; directory: string; config: ImageConfig };

  const start = async (options: Partial<StartOptions> = {}) => {
    const lines: string[] = [];
    const port = options.port ?? (await freePort());
    const env = { PORT: String(port), K_SERVICE: "hello", K_REVISION: "hello-00001-abc", K_CONFIGURATION: "hello", ...options.env };
    const log: StartOptions["log"] = (stream, line) => lines.push(`${stream}: ${line}`);
    const instance = await image.engine.start({ ...image, log, ...options, port, env });
    onTestFinished(() => instance.stop(0));
    return { ...instance, lines };
  };
  const get = async ({ port }: Instance, path: string, headers = {}) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
    return [response.status, await response.json()];
  };

  testNeeding(needs, "is built from its Dockerfile with the container's configuration", async ([path = ""]) => {
    const engine = inContainer
      ? await containerEngine(path)
      : createProcessEngine({ ...(path && { python: path }), env: process.env, reaper: createReaper() });
    const context = await newFolder();
    await copyTemplate({ template, directory: context, service: "hello" });
    const directory = join(await newFolder(), "images", template);
    mkdirSync(dirname(directory));
    let text = "";
    const log = (part: string): void => void (text += part);
    const build = { context, dockerfile: "Dockerfile", directory, log, signal: new AbortController().signal };
    const config = await engine.build(build).catch((error: Error) => expect.fail(`${error.message}\n${text}`));
    image = { engine, directory, config };
    expect(config).toMatchObject({ Cmd: COMMANDS[template], WorkingDir: "/app", User: language === "node" ? "node" : "nobody" });
    expect(text).toContain(language === "node" ? "RUN npm ci --omit=dev" : "RUN pip install --no-cache-dir -r requirements.txt");
  });

  testNeeding(needs, "serves on PORT and exits with 0 on SIGTERM", async () => {
    const instance = await start();
    await until(() => get(instance, "/").then(Boolean, () => false));
    expect(await get(instance, "/")).toEqual([200, { message: "Hello World from authenticated Cloud Run!" }]);
    const claims = Buffer.from(JSON.stringify({ email: "ada@example.com" })).toString("base64url");
    const headers = { authorization: `Bearer e30.${claims}.none` };
    expect(await get(instance, "/whoami", headers)).toEqual([200, { email: "ada@example.com" }]);
    expect(await get(instance, "/nowhere")).toEqual([404, { error: "Not Found" }]);
    await instance.stop(10_000);
    expect(await instance.exited).toEqual({ code: 0, signal: null });
  });

  testNeeding(needs, "runs the revision's command as the image's user with the environment of both", async () => {
    const secret = `${"a".repeat(40)}\n"b" $PATH 'c'\té`;
    const instance = await start({ command: REPORT[language], env: { SECRET: secret, EMPTY: "", GREETING: "hello" } });
    expect(await instance.exited).toEqual({ code: 0, signal: null });
    expect(instance.lines).toContain("stderr: to stderr");
    const report = JSON.parse(instance.lines.find((line) => line.startsWith("stdout: "))?.slice("stdout: ".length) ?? "");
    expect(report.uid).toBe(inContainer ? { node: 1000, python: 65_534 }[language] : getuid?.());
    expect(report.cwd).toMatch(/\/app$/);
    const { PORT, K_SERVICE, K_REVISION, K_CONFIGURATION } = report.env;
    expect([PORT, K_SERVICE, K_REVISION, K_CONFIGURATION]).toEqual([String(instance.port), "hello", "hello-00001-abc", "hello"]);
    expect(report.env).toMatchObject({ SECRET: secret, EMPTY: "", GREETING: "hello" });
    expect(report.env).toMatchObject(language === "node" ? { NODE_ENV: "production" } : { PYTHONUNBUFFERED: "1" });
    // Set in the environment that tests run in, but not meant for services.
    expect(Object.keys(report.env).filter((name) => /^(VITEST|npm_|CONTAINERS_|PIP_|OLDPWD)/i.test(name))).toEqual([]);
  });

  testNeeding(needs, "is killed if it doesn't exit within the grace period", async () => {
    const instance = await start({ command: IGNORE_SIGTERM[language] });
    await until(() => instance.lines.includes("stdout: ready"));
    const begin = performance.now();
    await instance.stop(500);
    expect(performance.now() - begin).toBeGreaterThanOrEqual(499);
    expect(await instance.exited).toEqual({ code: null, signal: "SIGKILL" });
    expect(instance.lines).toContain("stdout: no");
  });

  if (inContainer) {
    testNeeding(needs, "is killed if it exceeds its memory limit", async () => {
      const instance = await start({ command: LEAK[language], limits: { memory: 64 * 1024 * 1024, cpu: 1 } });
      expect(await instance.exited).toEqual({ code: null, signal: "SIGKILL" });
    });
  }
});
