import { existsSync, readFileSync, readdirSync, readlinkSync, symlinkSync, chmodSync, statSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { buildImage, temporaryFolder, writeFiles, type Files, type Image } from "../../../helpers/process-engine.ts";

const CONTEXT: Files = {
  "package.json": "{}",
  "package-lock.json": "{}",
  "server.js": "serve",
  "lib/a.js": "a",
  "lib/deep/b.js": "b",
  "lib/deep/c.txt": "c",
  "a b.txt": "blank",
};

/** The files below a folder of an image, as `path: content`. */
function files({ path }: Image, folder: string): string[] {
  return readdirSync(path(folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => `${file.slice(path(folder).length + 1)}: ${readFileSync(file, "utf8")}`)
    .toSorted();
}

async function copied(copies: string, context = CONTEXT): Promise<string[]> {
  return files(await buildImage({ ...context, Dockerfile: `FROM node\nWORKDIR /app\n${copies}` }), "/app");
}

test.for([
  ["COPY server.js ./", ["server.js: serve"]],
  ["COPY server.js .", ["server.js: serve"]],
  ["COPY server.js main.js", ["main.js: serve"]],
  ["COPY server.js new/deep/main.js", ["new/deep/main.js: serve"]],
  ["COPY server.js new/", ["new/server.js: serve"]],
  ["COPY server.js /app", ["server.js: serve"]],
  ["COPY package*.json ./", ["package-lock.json: {}", "package.json: {}"]],
  ["COPY package*.json server.js x/", ["x/package-lock.json: {}", "x/package.json: {}", "x/server.js: serve"]],
  ["COPY lib .", ["a.js: a", "deep/b.js: b", "deep/c.txt: c"]],
  ["COPY lib/ lib/", ["lib/a.js: a", "lib/deep/b.js: b", "lib/deep/c.txt: c"]],
  ["COPY lib/deep/*.js ./", ["b.js: b"]],
  ["COPY lib/*/?.[ct]* ./", ["c.txt: c"]],
  ["COPY /server.js ./", ["server.js: serve"]],
  ['COPY ["a b.txt", "c d.txt"]', ["c d.txt: blank"]],
  ["COPY server.js a.js\nCOPY lib/a.js a.js", ["a.js: a"]],
  ["COPY lib ./\nCOPY server.js deep", ["a.js: a", "deep/b.js: b", "deep/c.txt: c", "deep/server.js: serve"]],
] as const)("%s", async ([copies, expected]) => {
  expect(await copied(copies)).toEqual(expected);
});

test("COPY . leaves out files in .dockerignore, and keeps its exceptions", async () => {
  const ignore = "lib\n!lib/deep/*.js\n**/*.json\n.dockerignore\nDockerfile\n";
  expect(await copied("COPY . .", { ...CONTEXT, ".dockerignore": ignore })).toEqual([
    "a b.txt: blank",
    "lib/deep/b.js: b",
    "server.js: serve",
  ]);
});

test.for([
  ["COPY none.js ./", CONTEXT],
  ["COPY *.none ./", CONTEXT],
  ["COPY server.js ./", { ...CONTEXT, ".dockerignore": "server.js" }],
] as const)("%s fails if the file is missing or ignored", async ([copy, context]) => {
  await expect(copied(copy, context)).rejects.toThrow(
    /^Dockerfile line 3: COPY .*\nCOPY failed: file not found in build context or excluded by \.dockerignore/,
  );
});

test("a file keeps its mode", async () => {
  const context = temporaryFolder({ ...CONTEXT, Dockerfile: "FROM node\nCOPY run.sh /app/", "run.sh": "#!/bin/sh" });
  chmodSync(join(context, "run.sh"), 0o750);
  const { path } = await buildImage(context);
  expect(statSync(path("/app/run.sh")).mode & 0o777).toBe(0o750);
});

test("the log says that --chown and --chmod have no effect", async () => {
  const { log } = await buildImage({ ...CONTEXT, Dockerfile: "FROM node\nCOPY --chown=node:node --chmod=755 server.js /app/" });
  expect(log).toContain(" ---> ignored: --chown, --chmod\n");
});

test("links inside the context are copied as links; links out of it are left out", async () => {
  const outside = temporaryFolder({ "secret.txt": "secret" });
  const context = temporaryFolder({ "lib/a.js": "a", Dockerfile: "FROM node\nCOPY lib /app/lib" });
  symlinkSync("a.js", join(context, "lib/inside.js"));
  symlinkSync(join(outside, "secret.txt"), join(context, "lib/absolute.txt"));
  symlinkSync("../../..", join(context, "lib/up"));
  const image = await buildImage(context);
  expect(readdirSync(image.path("/app/lib"))).toEqual(["a.js", "inside.js"]);
  expect(readlinkSync(image.path("/app/lib/inside.js"))).toBe("a.js");
  expect(image.log).toContain("left out: lib/absolute.txt is a link to ");
});

test("a link named as a source of COPY is followed, but not out of the context", async () => {
  const outside = temporaryFolder({ "secret.txt": "secret" });
  const context = temporaryFolder({ "real/a.js": "a", Dockerfile: "FROM node\nCOPY link /app/" });
  symlinkSync("real", join(context, "link"));
  expect(files(await buildImage(context), "/app")).toEqual(["a.js: a"]);

  writeFiles(context, { Dockerfile: "FROM node\nCOPY out/secret.txt /app/" });
  symlinkSync(outside, join(context, "out"));
  await expect(buildImage(context)).rejects.toThrow("out/secret.txt is a symbolic link that leads out of the build context");
});

test("a copy over one of the base image's programs doesn't change the host's own", async () => {
  const context = { "a.js": "a", Dockerfile: "FROM node\nCOPY a.js /usr/local/bin/node" };
  const { path } = await buildImage(context);
  expect(readFileSync(path("/usr/local/bin/node"), "utf8")).toBe("a");
  expect(statSync(process.execPath).size).toBeGreaterThan(1_000_000);
});

test("COPY --from copies files from an earlier stage, by name and by number", async () => {
  const image = await buildImage({
    ...CONTEXT,
    ".dockerignore": "lib",
    Dockerfile:
      "FROM node AS build\nWORKDIR /out\nCOPY server.js lib/\nFROM node\nCOPY --from=build /out /app\nCOPY --from=0 /out/lib/server.js /app/second.js",
  });
  expect(files(image, "/app")).toEqual(["lib/server.js: serve", "second.js: serve"]);
  expect(existsSync(image.path("/out"))).toBe(false);
  expect(readdirSync(image.directory)).toEqual(["rootfs"]);
});

test("a folder without files is created too", async () => {
  const context = temporaryFolder({ Dockerfile: "FROM node\nCOPY . /app", "a.js": "a" });
  mkdirSync(join(context, "empty"));
  const { path } = await buildImage(context);
  expect(readdirSync(path("/app/empty"))).toEqual([]);
});
