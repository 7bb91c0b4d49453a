import { renameSync } from "node:fs";
import { expect, test } from "vitest";
import { StartError } from "../../../../src/emulator/engine/process-group.ts";
import { buildImage, isRunning, startInstance, until, type Image } from "../../../helpers/process-engine.ts";

/** A Node image with the given code in /app/main.js. */
function imageOf(code: string, dockerfile = 'CMD ["node", "main.js"]'): Promise<Image> {
  return buildImage({ "main.js": code, Dockerfile: `FROM node\nWORKDIR /app\nCOPY main.js ./\n${dockerfile}` });
}

const IGNORE_SIGTERM = "process.on('SIGTERM', () => console.log('no')); setInterval(() => {}, 1000); console.log('ready', process.pid)";

test("an instance's environment is the image's plus its own, and nothing else", async () => {
  const image = await imageOf(
    "console.log(JSON.stringify(process.env))",
    'ENV A=image B=image\nENV PATH=/app/bin:$PATH NODE_PATH=/app/lib:relative\nCMD ["node", "main.js"]',
  );
  const instance = await startInstance(image, { env: { B: "revision", K_SERVICE: "hello" } });
  await instance.exited;
  const env = JSON.parse((instance.lines[0] as string).replace("stdout: ", ""));
  const container = ["/app/bin", "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"].map((path) =>
    image.path(path),
  );
  expect(env).toEqual({
    A: "image",
    B: "revision",
    K_SERVICE: "hello",
    HOME: image.path("/root"),
    HOST: "127.0.0.1",
    LANG: "C.UTF-8",
    NODE_PATH: `${image.path("/app/lib")}:relative`,
    PATH: [...container, "/usr/local/bin", "/usr/bin", "/bin"].join(":"),
  });
});

test.for([
  [{}, ["entry", "a", "b"]],
  [{ args: ["x"] }, ["entry", "x"]],
  [{ command: ["node", "main.js", "own"] }, ["own"]],
  [{ command: ["node", "main.js", "own"], args: ["x"] }, ["own", "x"]],
] as const)("a revision with %j runs what Kubernetes would", async ([options, expected]) => {
  const image = await imageOf("console.log(process.argv.slice(2).join())", 'ENTRYPOINT ["node", "main.js", "entry"]\nCMD ["a", "b"]');
  const instance = await startInstance(image, options);
  await instance.exited;
  expect(instance.lines).toEqual([`stdout: ${expected.join()}`]);
});

test("container paths in the command are the image's, also in the shell form", async () => {
  const code =
    "console.log(require('node:path').basename(__filename), process.argv.slice(2).map((path) => require('node:fs').existsSync(path.replace('--config=', ''))).join())";
  const execForm = await startInstance(
    await imageOf(code, 'CMD ["/usr/local/bin/node", "/app/main.js", "--config=/app/main.js", "/none"]'),
  );
  await execForm.exited;
  expect(execForm.lines).toEqual(["stdout: main.js true,false"]);

  const shellForm = await startInstance(await imageOf(code, 'CMD exec node /app/main.js "/app"'), {});
  await shellForm.exited;
  expect(shellForm.lines).toEqual(["stdout: main.js true"]);
});

test("stop sends SIGTERM, and reports how the instance ended", async () => {
  const image = await imageOf(
    "process.on('SIGTERM', () => { console.log('stopping'); process.exit(3); }); setInterval(() => {}, 1000); console.log('ready')",
  );
  const instance = await startInstance(image);
  await until(() => instance.lines.includes("stdout: ready"));
  await instance.stop(10_000);
  expect(await instance.exited).toEqual({ code: 3, signal: null });
  expect(instance.lines).toEqual(["stdout: ready", "stdout: stopping"]);
  expect(isRunning(instance.pid)).toBe(false);
});

test("stop ends everything that an instance started, and can be called again", async () => {
  const image = await imageOf(
    `require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(IGNORE_SIGTERM)}], { stdio: "inherit" }); process.on("SIGTERM", () => {})`,
    "CMD node main.js & wait",
  );
  const instance = await startInstance(image);
  await until(() => instance.lines.length === 1);
  const grandchild = Number(instance.lines[0]?.split(" ").at(-1));
  expect(isRunning(grandchild)).toBe(true);
  await Promise.all([instance.stop(200), instance.stop(200)]);
  await instance.stop(200);
  expect(isRunning(instance.pid)).toBe(false);
  expect(isRunning(grandchild)).toBe(false);
});

test("processes that an instance leaves running end with it", async () => {
  const code = `
    const child = require("node:child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "inherit" });
    console.log(child.pid);
    process.exit(5);`;
  const instance = await startInstance(await imageOf(code));
  expect(await instance.exited).toEqual({ code: 5, signal: null });
  expect(isRunning(Number(instance.lines[0]?.split(" ")[1]))).toBe(false);
});

test("lines arrive whole, whatever pieces they were written in; very long ones are split", async () => {
  const image = await imageOf(`
    process.stdout.write("é".repeat(70_000) + "\\n\\nhal");
    setTimeout(() => process.stdout.write("f\\n" + "x".repeat(600 * 1024) + "\\nlast"), 50);`);
  const instance = await startInstance(image);
  await instance.exited;
  const lines = instance.lines.map((line) => line.replace("stdout: ", ""));
  expect(lines.map((line) => line.length)).toEqual([70_000, 0, 4, 256 * 1024, 256 * 1024, 88 * 1024, 4]);
  expect(lines[0]).toBe("é".repeat(70_000));
  expect([lines[2], lines[6]]).toEqual(["half", "last"]);
});

test.for([
  [["nothing-like-this"], 'exec: "nothing-like-this": executable file not found in $PATH'],
  [["/app/none"], 'none": no such file or directory'],
  [["./main.js"], 'exec: "./main.js": permission denied'],
  [["../"], 'exec: "../": is a directory'],
  [[""], 'exec: "": executable file not found in $PATH'],
] as const)("a command of %j is refused in a container runtime's words", async ([command, message]) => {
  const image = await imageOf("");
  const start = startInstance(image, { command: [...command] });
  await expect(start).rejects.toThrow(StartError);
  await expect(start).rejects.toThrow(message);
});

test("an image can be moved and started from its new place", async () => {
  const image = await imageOf("console.log(1)");
  renameSync(image.directory, `${image.directory}-moved`);
  const instance = await startInstance({ ...image, directory: `${image.directory}-moved` });
  expect(await instance.exited).toEqual({ code: 0, signal: null });
});
