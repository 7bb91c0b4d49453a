import { expect, test } from "vitest";
import { BuildError } from "../../../../src/emulator/engine/engine.ts";
import { planBuild, type Action, type Stage } from "../../../../src/emulator/engine/process/build-plan.ts";

const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

function lastStage(dockerfile: string): Stage {
  return planBuild(dockerfile).stages.at(-1) as Stage;
}

function actions(dockerfile: string): Action[] {
  return lastStage(dockerfile).steps.flatMap(({ action }) => action ?? []);
}

test("a Dockerfile's instructions end up in the image's config", () => {
  const { config } = lastStage(`
    FROM node:22-slim
    WORKDIR /srv
    WORKDIR app/./x/..
    ENV NODE_ENV=production GREETING="hello world" NONE=
    ENV OLD form  of it
    LABEL a=b
    MAINTAINER somebody
    EXPOSE 8080/tcp
    STOPSIGNAL SIGTERM
    USER node
    ENTRYPOINT ["node"]
    CMD ["server.js", "a b"]`);
  expect(config).toEqual({
    Env: [PATH, "NODE_ENV=production", "GREETING=hello world", "NONE=", "OLD=form  of it"],
    Entrypoint: ["node"],
    Cmd: ["server.js", "a b"],
    WorkingDir: "/srv/app",
    User: "node",
  });
});

test("a shell runs the shell form of CMD and ENTRYPOINT and expands its variables", () => {
  const { config } = lastStage("FROM node\nENV A=1\nENTRYPOINT exec node $A\nCMD node server.js | cat");
  expect(config).toMatchObject({ Entrypoint: ["/bin/sh", "-c", "exec node $A"], Cmd: ["/bin/sh", "-c", "node server.js | cat"] });
});

test.for([
  ["node:22", { Entrypoint: [], Cmd: ["node"] }],
  ["python:3.12-slim", { Entrypoint: [], Cmd: ["python3"] }],
  ["gcr.io/distroless/nodejs22-debian12", { Entrypoint: ["node"], Cmd: [] }],
  ["gcr.io/distroless/python3-debian12:nonroot", { Entrypoint: ["python3"], Cmd: [] }],
] as const)("%s has its own entry point and command", ([image, expected]) => {
  expect(lastStage(`FROM ${image}`).config).toMatchObject(expected);
});

test("an ENTRYPOINT removes the base image's CMD, but not the Dockerfile's own", () => {
  expect(lastStage('FROM node\nENTRYPOINT ["npm"]').config.Cmd).toEqual([]);
  expect(lastStage('FROM node\nCMD ["start"]\nENTRYPOINT ["npm"]').config.Cmd).toEqual(["start"]);
});

test.for([
  ["node", "node", undefined],
  ["node:22.11.0-bookworm-slim", "node", "22.11.0"],
  ["node:lts", "node", undefined],
  ["docker.io/library/node:20@sha256:0123", "node", "20"],
  ["localhost:5000/mirror/node:22", "node", "22"],
  ["us-docker.pkg.dev/project/mirror/python:3.12", "python", "3.12"],
  ["gcr.io/distroless/nodejs22-debian12", "node", "22"],
] as const)("the base image %s is %s, version %s", ([image, runtime, version]) => {
  expect(lastStage(`FROM --platform=linux/amd64 ${image}`).base).toMatchObject({ reference: image, runtime, version });
});

test("an ARG before FROM applies to FROM, and to a stage that declares it", () => {
  const { base, config } = lastStage(
    "ARG VERSION=22\nARG TAG=${VERSION}-slim\nFROM node:${TAG}\nENV A=[$VERSION]\nARG VERSION\nENV B=[$VERSION]",
  );
  expect(base).toMatchObject({ reference: "node:22-slim" });
  expect(config.Env).toEqual([PATH, "A=[]", "B=[22]"]);
});

test("ENV takes precedence over ARG, and sees the values set before its own instruction", () => {
  const { config } = lastStage("FROM node\nARG A=arg\nARG B=$A-b\nENV C=$A D=[$C]\nENV A=env E=$A\nENV F=$A G=$B\nARG A=late\nENV H=$A");
  expect(config.Env).toEqual([PATH, "C=arg", "D=[]", "A=env", "E=arg", "F=env", "G=arg-b", "H=env"]);
});

test("a RUN gets the stage's variables and folder as of its line", () => {
  const [, run] = actions(
    "FROM node\nARG LEVEL=silent\nENV NODE_ENV=production\nWORKDIR /app\nRUN npm ci --loglevel=$LEVEL && npm cache clean --force\nENV LATE=1",
  );
  expect(run).toEqual({
    kind: "run",
    commands: [
      ["npm", "ci", "--loglevel=silent"],
      ["npm", "cache", "clean", "--force"],
    ],
    workingDir: "/app",
    env: { PATH: PATH.slice(5), LEVEL: "silent", NODE_ENV: "production" },
  });
});

test.for([
  "npm ci",
  "npm install --global pm2@5",
  "npm --silent i",
  "npm run build",
  "npm prune --omit=dev",
  "--mount=type=cache,target=/root/.npm npm ci",
  '["npm", "ci"]',
  "pip install --no-cache-dir -r requirements.txt",
  "pip3 install flask",
  "python -m pip install 'flask>=2'",
  "python3 -m pip install -U pip && pip install flask",
])("RUN %s is supported", (command) => {
  expect(actions(`FROM node\nRUN ${command}`)).toHaveLength(1);
});

test("COPY names its destination in the container, and its stage by name or number", () => {
  const copies = actions(`
    FROM node AS Build
    FROM python
    WORKDIR /app
    ENV DIR=lib
    COPY . .
    COPY package.json package-lock.json ./
    COPY --chown=node:node ["a b.txt", "/c.txt"]
    COPY $DIR/ /srv/$DIR
    COPY --from=build /app/dist dist/
    COPY --from=0 /a /b`);
  expect(copies.slice(1).map((action) => action.kind === "copy" && action.copy)).toEqual([
    { stage: undefined, sources: ["."], destination: "/app", intoFolder: true },
    { stage: undefined, sources: ["package.json", "package-lock.json"], destination: "/app", intoFolder: true },
    { stage: undefined, sources: ["a b.txt"], destination: "/c.txt", intoFolder: false },
    { stage: undefined, sources: ["lib"], destination: "/srv/lib", intoFolder: false },
    { stage: 0, sources: ["app/dist"], destination: "/app/dist", intoFolder: true },
    { stage: 0, sources: ["a"], destination: "/b", intoFolder: false },
  ]);
});

test("a stage based on an earlier one continues from its end", () => {
  const plan = planBuild('FROM node AS base\nWORKDIR /app\nENV A=1\nUSER node\nCMD ["node", "a.js"]\nFROM base\nENV B=2');
  expect(plan.stages[1]).toMatchObject({
    base: 0,
    config: { Env: [PATH, "A=1", "B=2"], WorkingDir: "/app", User: "node", Cmd: ["node", "a.js"] },
  });
});

const CONTAINER = "--engine container";

test.for([
  ["RUN apt-get update && apt-get install -y curl", "doesn't run `apt-get update`", CONTAINER],
  ["RUN npm ci && rm -rf /root/.npm", "doesn't run `rm -rf`", CONTAINER],
  ["RUN npm ci | tee log", "without a shell: `|`", CONTAINER],
  ["RUN npm ci; npm prune", "without a shell: `;`", CONTAINER],
  ["RUN npm publish", "doesn't run `npm publish`", CONTAINER],
  ["RUN npm exec -- eslint", "doesn't run `npm exec`", CONTAINER],
  ["RUN pip uninstall flask", "doesn't run `pip uninstall`", CONTAINER],
  ["RUN python setup.py", "doesn't run `python setup.py`", CONTAINER],
  ['RUN ["sh", "-c", "npm ci"]', "doesn't run `sh -c`", CONTAINER],
  ["RUN --mount=type=secret,id=npmrc npm ci", "doesn't support RUN --mount", CONTAINER],
  ["RUN <<EOF\nnpm ci\nEOF", "without a shell: `<`", CONTAINER],
  ["COPY <<EOF /app/a.txt\nhello\nEOF", "doesn't support heredocs", CONTAINER],
  ["COPY --parents a/b c/", "doesn't support COPY --parents", CONTAINER],
  ["COPY --from=nginx:latest /etc/nginx /etc/nginx", "copies only from earlier stages", CONTAINER],
  ["ADD app.tar.gz /app", "doesn't support ADD", "Use COPY"],
  ["HEALTHCHECK CMD curl -f http://localhost/", "doesn't support HEALTHCHECK", "Remove it"],
  ["VOLUME /data", "doesn't support VOLUME", "Remove it"],
  ['SHELL ["/bin/bash", "-c"]', "doesn't support SHELL", "/bin/sh"],
  ["ONBUILD RUN npm ci", "doesn't support ONBUILD", CONTAINER],
  ["STOPSIGNAL SIGQUIT", "stops instances with SIGTERM", "Remove it"],
  ["FROM alpine:3.20", "supports only Node.js and Python base images, not alpine:3.20", "node:22-slim"],
  ["FROM scratch", "not scratch", CONTAINER],
  ["FROM golang:1.23 AS build", "not golang:1.23", CONTAINER],
  ["FROM node-exporter", "not node-exporter", CONTAINER],
  ["FROM gcr.io/distroless/static", "not gcr.io/distroless/static", CONTAINER],
] as const)("%s is rejected with its line and an alternative", ([instruction, why, instead]) => {
  const error = refusal(`FROM node\n\n# comment\nWORKDIR /app\n${instruction}\nUSER node`);
  expect(error.message.split("\n")[0]).toBe(`Dockerfile line 5: ${instruction.split("\n")[0]}`);
  expect(error.message).toContain(why);
  expect(error.message).toContain(instead);
});

test.for([
  ["RUN", "RUN requires at least one argument."],
  ["COPY a", "COPY requires at least two arguments"],
  ["COPY a b c", "its destination must end with /"],
  ["COPY ../secret ./", "../secret is outside of the build context"],
  ["COPY a/../../secret ./", "is outside of the build context"],
  ["ENV A", "can't find = in"],
  ['ENV A="b', "A double quote is not closed."],
  ["ENV A=${B", "A `${` is not closed."],
  ["FROM node as", "Use FROM image [AS name]."],
  ["FROM node build", "Use FROM image [AS name]."],
  ["FORM node", "Unknown instruction FORM."],
  ["RUN npm ci &&", "A command before or after `&&` is missing."],
] as const)("%s is rejected with its line and the reason", ([instruction, why]) => {
  const { message } = refusal(`FROM node\n${instruction}`);
  expect(message).toContain(`Dockerfile line 2: ${instruction}`);
  expect(message).toContain(why);
  expect(message).not.toContain(CONTAINER);
});

test("a Dockerfile without a stage is rejected", () => {
  expect(refusal("# nothing\nARG A=1").message).toContain("no FROM");
  expect(refusal("RUN npm ci\nFROM node").message).toContain(
    "Dockerfile line 1: RUN npm ci\nThe first instruction of a Dockerfile must be FROM.",
  );
});

test("a very long instruction is shortened in the error", () => {
  expect(refusal(`FROM node\nRUN ${"x".repeat(10_000)}`).message.split("\n")[0]?.length).toBeLessThan(250);
});

function refusal(dockerfile: string): BuildError {
  try {
    planBuild(dockerfile);
  } catch (error) {
    if (error instanceof BuildError) return error;
    throw error;
  }
  throw new Error("The Dockerfile was not refused.");
}
