import { execFile } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import ignore from "ignore";
import { expect, test, vi } from "vitest";
import { copyTemplate } from "../src/commands/init/copy-template.ts";
import { testNeeding } from "./helpers/requirements.ts";
import { install, newFolder, start } from "./helpers/template-service.ts";

const run = promisify(execFile);

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const TEMPLATES = readdirSync(join(ROOT, "templates"));

const KEY_FILES = [
  "service_account.json",
  "service_account-2.json",
  "service-account.json",
  "credentials.json",
  "my-credentials-file.json",
  "application_default_credentials.json",
  "key.json",
  "caller-key.json",
  "gha-creds-0123456789abcdef.json",
  "my-project-0123456789ab.json",
  "private.pem",
  "private.p12",
  ".env",
  ".env.production",
];

/** The instructions that the emulator's process engine supports. */
const INSTRUCTIONS = ["FROM", "WORKDIR", "COPY", "ENV", "RUN", "USER", "EXPOSE", "CMD"];

const PYTHON_SLOW_ROUTE = `import time\n@app.get("/slow")\ndef slow():\n    print('{"message": "begun"}', flush=True)\n    time.sleep(0.5)\n    return {}\n\n`;

/** A route that logs when it starts, and responds half a second later. */
const SLOW_ROUTES: Readonly<Record<string, { file: string; before: string; code: string }>> = {
  hono: {
    file: "app.js",
    before: "  app.notFound(",
    code: `app.get("/slow", async (c) => { console.log('{"message": "begun"}'); await new Promise((done) => setTimeout(done, 500)); return c.json({}); });`,
  },
  express: {
    file: "app.js",
    before: "/** Creates the service:",
    code: `routes.get("/slow", (_, response) => { console.log('{"message": "begun"}'); setTimeout(() => response.json({}), 500); });`,
  },
  flask: { file: "main.py", before: "@app.errorhandler", code: PYTHON_SLOW_ROUTE },
  fastapi: { file: "main.py", before: "@app.exception_handler(HTTP", code: PYTHON_SLOW_ROUTE },
};

test("npm publishes every file of every template", async () => {
  const { stdout } = await run("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: ROOT, maxBuffer: 1e7 });
  const packages = Object.values(JSON.parse(stdout)) as { files: { path: string }[] }[];
  const published = new Set(packages.flatMap(({ files }) => files.map(({ path }) => path)));
  expect([...published].filter((path) => path.includes("node_modules"))).toEqual([]);
  for (const template of TEMPLATES) {
    const written = await copyTemplate({ template, directory: await newFolder(), service: "my-service" });
    const files = written.filter((file) => file !== "cloudrun-oauth.json").map((file) => (file === ".gitignore" ? "gitignore" : file));
    expect(files.filter((file) => !published.has(`templates/${template}/${file}`))).toEqual([]);
  }
}, 60_000);

test.for(["caller.js", "stop.js", "caller.py", "log.py"])("templates have identical copies of %s", (name) => {
  const texts = TEMPLATES.map((template) => join(ROOT, "templates", template, name))
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, "utf8"));
  expect(new Set(texts).size).toBe(1);
});

for (const template of TEMPLATES) {
  const isNode = existsSync(join(ROOT, "templates", template, "package.json"));
  const read = (name: string) => readFile(join(ROOT, "templates", template, name), "utf8");

  /** A test that runs the template's programs; `python` is empty for JavaScript. */
  const testRunning = (name: string, body: (python: string) => Promise<void>) =>
    testNeeding(isNode ? [] : "python", name, ([python = ""]) => body(python), 120_000);

  test(`${template} has every file that a template needs`, () => {
    const names = readdirSync(join(ROOT, "templates", template));
    const dependencies = isNode ? ["package.json", "package-lock.json"] : ["requirements.txt"];
    const needed = ["Dockerfile", "README.md", ".dockerignore", ".gcloudignore", "gitignore", ...dependencies];
    expect(names).toEqual(expect.arrayContaining(needed));
    expect(names).not.toContain(".gitignore");
    expect(Object.keys(SLOW_ROUTES)).toContain(template);
  });

  test(`${template} pins its dependencies, without a registry`, async () => {
    if (isNode) {
      const { packages } = JSON.parse(await read("package-lock.json"));
      const loose = Object.entries<{ resolved?: string; integrity?: string }>(packages).filter(
        ([path, { resolved, integrity }]) => resolved !== undefined || (path !== "" && !integrity?.startsWith("sha512-")),
      );
      expect(loose).toEqual([]);
    } else {
      for (const line of (await read("requirements.txt")).trim().split("\n")) {
        expect(line).toMatch(/^[a-z]+>=[\d.]+,<\d+$/);
      }
    }
  });

  test(`${template}'s image is slim, installs dependencies first, and runs as an unprivileged user`, async () => {
    const lines = (await read("Dockerfile")).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    const instructions = lines.map((line) => line.split(" ")[0]);
    expect(instructions.filter((word) => !INSTRUCTIONS.includes(word!))).toEqual([]);
    expect(lines[0]).toMatch(/^FROM (node:22|python:3\.12)-slim$/);
    const installing = isNode
      ? ["COPY package.json package-lock.json ./", "RUN npm ci --omit=dev"]
      : ["COPY requirements.txt ./", "RUN pip install --no-cache-dir -r requirements.txt"];
    const first = lines.indexOf(installing[0]!);
    expect(lines.slice(first, first + 3)).toEqual([...installing, "COPY . ./"]);
    expect(lines.indexOf(isNode ? "USER node" : "USER nobody")).toBeGreaterThan(first);
    expect(lines.filter((line) => line.startsWith("USER"))).toHaveLength(1);
    expect(JSON.parse(lines.at(-1)!.replace(/^CMD /, ""))).toEqual(expect.arrayContaining([expect.any(String)]));
  });

  test.for([".dockerignore", ".gcloudignore", "gitignore"])(`${template}'s %s excludes key files, but no needed files`, async (name) => {
    const ignored = ignore().add(await read(name));
    const leavesOut = (path: string) => ignored.ignores(path);
    const keyFiles = KEY_FILES.flatMap((file) => [file, `config/deep/${file}`]);
    expect(keyFiles.filter((path) => !leavesOut(path))).toEqual([]);
    const built = isNode ? ["node_modules/x/index.js"] : [".venv/bin/python", "__pycache__/main.cpython-312.pyc"];
    expect(built.filter((path) => !leavesOut(path))).toEqual([]);

    const needed = new Set(
      readdirSync(join(ROOT, "templates", template)).filter((file) => !built.some((path) => path.startsWith(`${file}/`))),
    );
    for (const file of ["README.md", "gitignore", ".gcloudignore"]) needed.delete(file);
    if (name !== "gitignore") for (const file of needed) if (/\.test\.js$|^test_/.test(file)) needed.delete(file);
    if (name === ".dockerignore") for (const file of ["Dockerfile", ".dockerignore"]) needed.delete(file);
    expect([...needed].filter(leavesOut)).toEqual([]);
  });

  testNeeding(
    "gcloud",
    `gcloud uploads what the build of ${template} needs, but no key files`,
    async ([gcloud]) => {
      const directory = await newFolder();
      const written = await copyTemplate({ template, directory, service: "my-service" });
      await mkdir(join(directory, "config"));
      for (const file of KEY_FILES) {
        await writeFile(join(directory, file), "secret");
        await writeFile(join(directory, "config", file), "secret");
      }
      const env = {
        PATH: process.env.PATH,
        CLOUDSDK_CONFIG: await newFolder(),
        CLOUDSDK_CORE_DISABLE_PROMPTS: "1",
        CLOUDSDK_CORE_CHECK_GCE_METADATA: "false",
      };
      const { stdout } = await run(gcloud!, ["meta", "list-files-for-upload", directory], { env });
      const left = [".gcloudignore", ".gitignore", "README.md"];
      const expected = written.filter((file) => !left.includes(file) && !/\.test\.js$|^test_/.test(file));
      expect(stdout.trim().split("\n").toSorted()).toEqual(expected.toSorted());
    },
    60_000,
  );

  testRunning(`${template} returns the greeting, the caller, and 404`, async (python) => {
    const service = await start(await install(template), python);
    const bearer = (email: unknown) => `Bearer ${token({ email })}`;

    expect(await service.get("/")).toEqual([200, { message: "Hello World from authenticated Cloud Run!" }]);
    expect(await service.get("/nowhere")).toEqual([404, { error: "Not Found" }]);

    const whoami = async (headers: Record<string, string>) => (await service.get("/whoami", headers))[1];
    const ada = { email: "ada@example.com" };
    expect(await whoami({ authorization: bearer("ada@example.com") })).toEqual(ada);
    expect(await whoami({ authorization: bearer("ada@example.com").replace("Bearer", "bearer") })).toEqual(ada);
    expect(await whoami({ "x-serverless-authorization": bearer("ada@example.com") })).toEqual(ada);
    const both = { authorization: bearer("eve@example.com"), "x-serverless-authorization": bearer("ada@example.com") };
    expect(await whoami(both)).toEqual(ada);

    const unknown = { email: null };
    expect(await whoami({})).toEqual(unknown);
    expect(await whoami({ ...both, "x-serverless-authorization": "Bearer none" })).toEqual(unknown);
    const deep = `a.${Buffer.from("[".repeat(4000)).toString("base64url")}.c`;
    const invalid = [
      "",
      "Bearer",
      "Basic YTpi",
      "Bearer a.b",
      "Bearer a.!.c",
      "Bearer é.é.é",
      `Bearer ${deep}`,
      bearer(undefined),
      bearer(1),
    ];
    const answers = [];
    for (const authorization of invalid) answers.push([authorization, await whoami({ authorization })]);
    expect(answers).toEqual(invalid.map((authorization) => [authorization, unknown]));
  });

  testRunning(`${template} logs no requests, which Cloud Run logs, and no token`, async (python) => {
    const service = await start(await install(template), python);
    const credential = token({ email: "ada@example.com" });
    await service.get("/whoami?hidden=1", { authorization: `Bearer ${credential}` });
    await service.get("/nowhere");
    await service.stop();

    const output = service.output();
    expect(["/whoami", "/nowhere", "hidden", ...credential.split(".")].filter((text) => output.includes(text))).toEqual([]);
    expect(service.lines().filter(({ severity }) => severity !== "INFO")).toEqual([]);
  });

  testRunning(`${template} finishes requests on SIGTERM, closes idle connections, and exits with 0`, async (python) => {
    const directory = await newFolder();
    await cp(await install(template), directory, { recursive: true });
    const { file, before, code } = SLOW_ROUTES[template]!;
    const source = await readFile(join(directory, file), "utf8");
    expect(source).toContain(before);
    await writeFile(
      join(directory, file),
      source.replace(before, () => `${code}\n${before}`),
    );

    const service = await start(directory, python);
    // Opens two connections; one stays idle.
    await Promise.all([service.get("/"), service.get("/")]);
    const answer = service.get("/slow");
    await vi.waitFor(() => expect(service.lines()).toContainEqual({ message: "begun" }), 10_000);
    const begin = performance.now();
    const exitCode = service.stop();
    expect(await answer).toEqual([200, {}]);
    expect(await exitCode).toBe(0);
    expect(performance.now() - begin).toBeLessThan(5000);
  });

  if (isNode) {
    test(`${template} closes unused connections on SIGTERM`, async () => {
      const service = await start(await install(template), "");
      await service.connect();
      const begin = performance.now();
      expect(await service.stop()).toBe(0);
      expect(performance.now() - begin).toBeLessThan(5000);
    }, 120_000);
  }

  testRunning(`${template} listens on all addresses unless HOST is set`, async (python) => {
    const service = await start(await install(template), python, { HOST: "" });
    // On Linux, all of 127.0.0.0/8 is loopback.
    const address = process.platform === "linux" ? "127.0.0.2" : "127.0.0.1";
    expect((await service.get("/", {}, address))[0]).toBe(200);
  });

  testRunning(`${template}'s own test passes`, async (python) => {
    const cwd = await install(template);
    const [program, ...args] = isNode ? [process.execPath, "--test"] : [python, "-B", "-m", "unittest"];
    const { stdout, stderr } = await run(program!, args, { cwd, env: { PATH: process.env.PATH } });
    expect(stdout + stderr).toMatch(/^# pass [1-9]|^ℹ pass [1-9]|^Ran [1-9]\d* tests/m);
  });
}

/** An ID token as Cloud Run passes it to a service. */
function token(claims: unknown): string {
  const [header, payload] = [{ alg: "RS256", kid: "1", typ: "JWT" }, claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString("base64url"),
  );
  return `${header}.${payload}.SIGNATURE_REMOVED_BY_GOOGLE`;
}
