import { chmodSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { BuildError } from "../../../../src/emulator/engine/engine.ts";
import { createProcessEngine } from "../../../../src/emulator/engine/process/process-engine.ts";
import { createReaper } from "../../../../src/emulator/engine/reaper.ts";
import { buildImage, isRunning, startInstance, temporaryFolder, until, writeFiles, type Files } from "../../../helpers/process-engine.ts";

const DEPENDENCY: Files = {
  "dependency/package.json": JSON.stringify({ name: "dependency", version: "1.0.0", bin: { greet: "greet.js" } }),
  "dependency/greet.js": "#!/usr/bin/env node\nconsole.log('greeted')\n",
};

function packageJson(scripts: Readonly<Record<string, string>>): string {
  return JSON.stringify({ name: "service", version: "1.0.0", scripts, dependencies: { dependency: "file:./dependency" } });
}

/** Builds into its own folder, with a signal to abort it; `beside` lists the image and its siblings. */
function beginBuild(
  context: string,
  { dockerfile = "Dockerfile", parent = temporaryFolder(), env = process.env, node = process.execPath } = {},
) {
  const abort = new AbortController();
  const log: string[] = [];
  const engine = createProcessEngine({ node, env, reaper: createReaper() });
  const directory = join(parent, "image");
  const done = engine.build({ context, dockerfile, directory, log: (text) => log.push(text), signal: abort.signal });
  return { abort, log, done, beside: () => readdirSync(parent) };
}

test("the log shows each step as Docker does", async () => {
  const { log } = await buildImage({ Dockerfile: "FROM node\nWORKDIR /app\n\nENV A=1 \\\n  B=2\nUSER node\n" });
  expect(log.split("\n")).toEqual([
    "Step 1/4 : FROM node",
    ` ---> using local Node.js ${process.versions.node}`,
    "Step 2/4 : WORKDIR /app",
    "Step 3/4 : ENV A=1 B=2",
    "Step 4/4 : USER node",
    " ---> ignored: instances run as the emulator's user",
    "",
  ]);
});

test("the log says if the host's version differs from the tag's", async () => {
  expect((await buildImage({ Dockerfile: "FROM node:8-slim" })).log).toContain(
    `Warning: using local Node.js ${process.versions.node} instead of node:8-slim. Behavior might differ.`,
  );
  expect((await buildImage({ Dockerfile: `FROM node:${process.versions.node.split(".")[0]}-slim` })).log).not.toContain("Warning");
});

test("npm installs into the image, and its scripts see the image's variables and none of the emulator's", async () => {
  const { path, log } = await buildImage(
    {
      ...DEPENDENCY,
      "package.json": packageJson({
        show: 'node -p "JSON.stringify([process.env.FROM_IMAGE, process.env.FROM_ARG, process.env.SECRET ?? null, process.cwd()])"',
      }),
      Dockerfile:
        "FROM node\nWORKDIR /app\nENV FROM_IMAGE='an image'\nARG FROM_ARG=arg\nCOPY . .\nRUN npm install --no-audit --no-fund && npm run --silent show",
    },
    { env: { ...process.env, SECRET: "the emulator's" } },
  );
  expect(readFileSync(path("/app/node_modules/dependency/greet.js"), "utf8")).toContain("greeted");
  expect(log).toMatch(/\["an image","arg",null,".*\/app"\]/);
});

test("a program that npm installs globally is in the image and on its PATH", async () => {
  const image = await buildImage({
    ...DEPENDENCY,
    Dockerfile: 'FROM node\nCOPY dependency /dependency\nRUN npm install --global --install-links /dependency\nCMD ["greet"]',
  });
  expect(existsSync(image.path("/usr/local/lib/node_modules/dependency/greet.js"))).toBe(true);
  const instance = await startInstance(image);
  await instance.exited;
  expect(instance.lines).toEqual(["stdout: greeted"]);
});

test("a stage based on an earlier one has its files, and doesn't change it", async () => {
  const image = await buildImage({
    "main.js": "console.log(require('node:fs').readdirSync('.').join())",
    "more.js": "",
    Dockerfile: `FROM node AS base
WORKDIR /app
COPY main.js ./
CMD ["node", "main.js"]
FROM base AS other
COPY more.js ./
FROM base
COPY --from=other /app/more.js ./last.js`,
  });
  const instance = await startInstance(image);
  await instance.exited;
  expect(instance.lines).toEqual(["stdout: last.js,main.js"]);
  expect(readdirSync(image.directory)).toEqual(["rootfs"]);
});

test("paths in a RUN are the container's", async () => {
  const { path } = await buildImage({
    ...DEPENDENCY,
    "package.json": packageJson({}),
    Dockerfile: "FROM node\nCOPY . /srv/\nRUN npm install --prefix=/srv && npm prune --prefix ../../srv",
  });
  expect(existsSync(path("/srv/node_modules/dependency"))).toBe(true);
});

test("files that package managers write to HOME aren't part of the image", async () => {
  const { directory } = await buildImage({
    ...DEPENDENCY,
    "package.json": packageJson({ dirty: "echo x > $HOME/.dirty" }),
    Dockerfile: "FROM node\nCOPY . .\nRUN npm run dirty",
  });
  expect(readdirSync(directory)).toEqual(["rootfs"]);
  expect(readdirSync(join(directory, "rootfs/root"))).toEqual([]);
});

test("a RUN that fails ends the build with its line, logs its output once, and leaves nothing behind", async () => {
  const context = temporaryFolder({
    "package.json": packageJson({ fail: "for i in $(seq 50); do echo line $i; done; exit 7" }),
    Dockerfile: "FROM node\nCOPY package.json .\nRUN npm run \\\n fail\nUSER node",
  });
  const build = beginBuild(context);
  const error = await build.done.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(BuildError);
  const { message } = error as BuildError;
  expect(message).toBe("Dockerfile line 3: RUN npm run fail\nThe command 'npm run fail' returned a non-zero code: 7");
  expect(build.log.join("").match(/^line 50$/gm)).toHaveLength(1);
  expect(build.log.join("")).not.toContain("USER");
  expect(build.beside()).toEqual([]);
});

test("a package manager that the base image doesn't include isn't found", async () => {
  await expect(buildImage({ Dockerfile: "FROM node\nRUN pip install flask" })).rejects.toThrow(
    "Dockerfile line 2: RUN pip install flask\npip: not found",
  );
});

test("an aborted build ends its processes, and leaves nothing behind", async () => {
  const context = temporaryFolder({
    "package.json": packageJson({ wait: "node -e \"console.log('pid', process.pid); setInterval(() => {}, 1000)\"" }),
    Dockerfile: "FROM node\nCOPY package.json .\nRUN npm run wait",
  });
  const build = beginBuild(context);
  await until(() => /^pid \d+$/m.test(build.log.join("")));
  const pid = Number(/^pid (\d+)$/m.exec(build.log.join(""))?.[1]);
  expect(isRunning(pid)).toBe(true);
  // Nothing looks like an image before it is complete.
  expect(build.beside()).toEqual(["image.partial"]);
  build.abort.abort();
  await expect(build.done).rejects.toThrow("The build was canceled.");
  expect(isRunning(pid)).toBe(false);
  expect(build.beside()).toEqual([]);
});

test("a build that is aborted before it starts does nothing", async () => {
  const build = beginBuild(temporaryFolder({ Dockerfile: "FROM node" }));
  build.abort.abort();
  await expect(build.done).rejects.toThrow(BuildError);
  expect(build.beside()).toEqual([]);
});

test("files that a crashed build left don't get into the image", async () => {
  const context = temporaryFolder({ Dockerfile: "FROM node\nWORKDIR /app" });
  const parent = temporaryFolder({ "image.partial/stage-0/app/left.js": "", "image.partial/home/x": "" });
  await beginBuild(context, { parent }).done;
  expect(readdirSync(parent)).toEqual(["image"]);
  expect(readdirSync(join(parent, "image/rootfs/app"))).toEqual([]);
});

test("an unsupported Dockerfile is rejected before anything runs", async () => {
  const build = beginBuild(temporaryFolder({ Dockerfile: "FROM node\nRUN npm ci\nRUN apt-get update" }));
  await expect(build.done).rejects.toThrow("Dockerfile line 3: RUN apt-get update");
  expect(build.log).toEqual([]);
});

test("a context without a Dockerfile is rejected; a Dockerfile with another name is found", async () => {
  const context = temporaryFolder();
  await expect(beginBuild(context).done).rejects.toThrow("Dockerfile not found in the build context.");
  writeFiles(context, { "docker/web.Dockerfile": 'FROM node\nCMD ["a"]' });
  expect(await beginBuild(context, { dockerfile: "docker/web.Dockerfile" }).done).toMatchObject({ Cmd: ["a"] });
});

test("without npm, RUN npm fails; without Python, a Python base image fails", async () => {
  const context = temporaryFolder({ "package.json": "{}", Dockerfile: "FROM node\nRUN npm ci" });
  const bare = temporaryFolder();
  const env = { PATH: bare };
  writeFiles(bare, { node: "#!/bin/sh\necho v20.0.0\n" });
  chmodSync(join(bare, "node"), 0o755);
  await expect(beginBuild(context, { node: join(bare, "node"), env }).done).rejects.toThrow("npm: not found");
  writeFiles(context, { Dockerfile: "FROM python:3.12" });
  await expect(beginBuild(context, { env }).done).rejects.toThrow(
    "python3 isn't installed. Set CLOUDRUN_OAUTH_PYTHON to a Python interpreter",
  );
});
