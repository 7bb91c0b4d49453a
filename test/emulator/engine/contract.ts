import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, onTestFinished } from "vitest";
import type { Engine, Instance, StartOptions } from "../../../src/emulator/engine/engine.ts";
import type { ImageConfig } from "../../../src/emulator/state/resources.ts";
import { copyTemplate } from "../../../src/commands/init/copy-template.ts";
import type { AtEnd } from "../../helpers/emulator.ts";
import { freePort, until } from "../../helpers/process-engine.ts";
import { testNeeding, type Need } from "../../helpers/requirements.ts";
import { newFolder } from "../../helpers/template-service.ts";

interface Held {
  readonly template: "hono" | "express" | "flask" | "fastapi";
  readonly needs: readonly Need[];
  /** The engine, with an empty directory for images; `paths` are those that the tests need. */
  open(paths: readonly string[], atEnd: AtEnd): Promise<{ readonly engine: Engine; readonly directory: string }>;
  /** The user that instances run as. */
  readonly uid: number;
  /** Whether an instance that exceeds its memory limit is killed. */
  readonly limitsMemory: boolean;
}

/** Code that prints what an instance sees, to both streams. */
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

const EAT = {
  node: ["node", "-e", "const eaten = []; for (;;) eaten.push(Buffer.alloc(1 << 20, 1));"],
  python: ["python3", "-c", "eaten = []\nwhile True: eaten.append(b'1' * (1 << 20))"],
};

const DEAF = {
  node: ["node", "-e", "process.on('SIGTERM', () => console.log('no')); setInterval(() => {}, 1000); console.log('ready')"],
  python: [
    "python3",
    "-c",
    "import signal, time\nsignal.signal(signal.SIGTERM, lambda *_: print('no', flush=True))\nprint('ready', flush=True)\nwhile True: time.sleep(1)",
  ],
};

/**
 * The contract between Cloud Run and a container, as a template's service sees it with any engine:
 * https://cloud.google.com/run/docs/container-contract
 */
export function holdContract({ template, needs, open, uid, limitsMemory }: Held, engineName: string): void {
  const language = template === "hono" || template === "express" ? "node" : "python";
  const image: { engine: Engine; directory: string; config: ImageConfig; log: string } = {} as never;
  const ends: (() => Promise<void> | void)[] = [];

  const hold = (name: string, run: () => Promise<void>): void => testNeeding(needs, name, run);

  const start = async (options: Partial<StartOptions> = {}) => {
    const lines: string[] = [];
    const port = options.port ?? (await freePort());
    const env = { PORT: String(port), K_SERVICE: "hello", K_REVISION: "hello-00001-abc", K_CONFIGURATION: "hello", ...options.env };
    const { engine, directory, config } = image;
    const log: StartOptions["log"] = (stream, line) => lines.push(`${stream}: ${line}`);
    const instance = await engine.start({ directory, config, log, ...options, port, env });
    onTestFinished(() => instance.stop(0));
    return { ...instance, lines };
  };
  const get = async ({ port }: Pick<Instance, "port">, path: string, headers = {}) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
    return [response.status, await response.json()];
  };
  const listening = (instance: Pick<Instance, "port">) =>
    until(() =>
      get(instance, "/").then(
        () => true,
        () => false,
      ),
    );

  describe(`${template} with the ${engineName} engine`, () => {
    afterAll(async () => {
      for (const end of ends) await end();
    });

    testNeeding(needs, "is built by its Dockerfile, with all that it says of the container", async (paths) => {
      const { engine, directory } = await open(paths, (end) => ends.push(end));
      const context = await newFolder();
      await copyTemplate({ template, directory: context, service: "hello" });
      Object.assign(image, { engine, directory: join(directory, "images", template), log: "" });
      mkdirSync(join(directory, "images"), { recursive: true });
      const log = (text: string): void => void (image.log += text);
      const build = { context, dockerfile: "Dockerfile", directory: image.directory, log, signal: new AbortController().signal };
      image.config = await engine.build(build).catch((error: Error) => expect.fail(`${error.message}\n${image.log}`));
      const Cmd = {
        hono: ["node", "server.js"],
        express: ["node", "server.js"],
        flask: ["gunicorn", "main:app"],
        fastapi: ["python3", "main.py"],
      };
      expect(image.config).toMatchObject({ Cmd: Cmd[template], WorkingDir: "/app", User: language === "node" ? "node" : "nobody" });
      expect(image.log).toContain(language === "node" ? "RUN npm ci --omit=dev" : "RUN pip install --no-cache-dir -r requirements.txt");
    });

    hold("answers on the port that PORT says, logs to the stream that it writes to, and ends on SIGTERM with 0", async () => {
      const [one, other] = [await start(), await start()];
      await Promise.all([listening(one), listening(other)]);
      expect(await get(one, "/")).toEqual([200, { message: "Hello World from authenticated Cloud Run!" }]);
      const claims = Buffer.from(JSON.stringify({ email: "ada@example.com" })).toString("base64url");
      expect(await get(one, "/whoami", { authorization: `Bearer e30.${claims}.none` })).toEqual([200, { email: "ada@example.com" }]);
      expect(await get(other, "/nowhere")).toEqual([404, { error: "Not Found" }]);
      await Promise.all([one.stop(10_000), other.stop(10_000)]);
      expect([await one.exited, await other.exited]).toEqual([
        { code: 0, signal: null },
        { code: 0, signal: null },
      ]);
      const requests = ({ lines }: { lines: string[] }) =>
        lines
          .filter((line) => line.startsWith("stdout: {"))
          .flatMap((line) => JSON.parse(line.slice("stdout: ".length)).httpRequest?.requestUrl ?? []);
      expect(requests(one)).toContain("/whoami");
      expect(requests(one)).not.toContain("/nowhere");
      expect(requests(other)).toContain("/nowhere");
    });

    hold("runs a revision's own command as the image's user, with the image's environment and its own", async () => {
      const secret = `${"a".repeat(40)}\n"b" $PATH 'c'\té`;
      const instance = await start({ command: REPORT[language], env: { SECRET: secret, EMPTY: "", GREETING: "hello" } });
      expect(await instance.exited).toEqual({ code: 0, signal: null });
      expect(instance.lines).toContain("stderr: to stderr");
      const report = JSON.parse(instance.lines.find((line) => line.startsWith("stdout: "))?.slice("stdout: ".length) ?? "");
      expect(report.uid).toBe(uid);
      expect(report.cwd).toMatch(/\/app$/);
      const { PORT, K_SERVICE, K_REVISION, K_CONFIGURATION } = report.env;
      expect([PORT, K_SERVICE, K_REVISION, K_CONFIGURATION]).toEqual([String(instance.port), "hello", "hello-00001-abc", "hello"]);
      expect(report.env).toMatchObject({ SECRET: secret, EMPTY: "", GREETING: "hello" });
      expect(report.env).toMatchObject(language === "node" ? { NODE_ENV: "production" } : { PYTHONUNBUFFERED: "1" });
      // Set in the environment that tests run in, but not meant for services.
      expect(Object.keys(report.env).filter((name) => /^(VITEST|npm_|CONTAINERS_|PIP_|OLDPWD)/i.test(name))).toEqual([]);
    });

    hold("is killed where it does not end within its grace", async () => {
      const instance = await start({ command: DEAF[language] });
      await until(() => instance.lines.includes("stdout: ready"));
      const begin = performance.now();
      await instance.stop(500);
      expect(performance.now() - begin).toBeGreaterThanOrEqual(499);
      expect(await instance.exited).toEqual({ code: null, signal: "SIGKILL" });
      expect(instance.lines).toContain("stdout: no");
    });

    if (limitsMemory) {
      hold("is killed where it takes more memory than it may", async () => {
        const instance = await start({ command: EAT[language], limits: { memory: 64 * 1024 * 1024, cpu: 1 } });
        expect(await instance.exited).toEqual({ code: null, signal: "SIGKILL" });
      });
    }
  });
}
