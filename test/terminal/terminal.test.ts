import { clearLine, cursorTo, moveCursor } from "node:readline";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { nextStep } from "../../src/errors/next-step.ts";
import { pause } from "../../src/http/poll.ts";
import { openTerminal } from "../../src/terminal/terminal.ts";

const WORK = { running: "Working", done: "Worked" };

async function open(options: Partial<Parameters<typeof openTerminal>[0]> & { tty?: boolean } = {}) {
  const { tty = false, ...given } = options;
  const [stdin, stdout, stderr] = [terminalStream(tty), terminalStream(tty), terminalStream(tty)];
  const terminal = await openTerminal({ stdin, stdout, stderr, env: { NO_COLOR: "1" }, ...given });
  const text = (from: PassThrough) => (from.read() as Buffer | null)?.toString("utf8") ?? "";
  return { terminal, stdin, out: () => text(stdout), err: () => text(stderr) };
}

/** What a terminal's stream can do beyond any other: node:tty does it in the same way. */
function terminalStream(isTTY: boolean, columns = 80) {
  const stream = new PassThrough();
  return Object.assign(stream, {
    isTTY,
    columns,
    setRawMode: () => stream,
    cursorTo: (x: number) => cursorTo(stream, x),
    moveCursor: (x: number, y: number) => moveCursor(stream, x, y),
    clearLine: (direction: -1 | 0 | 1) => clearLine(stream, direction),
  });
}

test("results go to stdout, everything else to stderr", async () => {
  const { terminal, out, err } = await open({ verbose: true });
  terminal.print("text\n");
  terminal.print(Uint8Array.of(0x68, 0x69, 0x0a));
  terminal.printJson({ status_code: 200 });
  terminal.note("note");
  terminal.warn("careful");
  terminal.debug("detail");
  await terminal.step(WORK, async () => {});
  expect(out()).toBe('text\nhi\n{\n  "status_code": 200\n}\n');
  expect(err()).toMatch(/^note\nWarning: careful\ndetail\n✓ Worked\n$/);
});

test("next steps are commands on their own lines, and hidden by --quiet and --json", async () => {
  const steps = [nextStep("To deploy", "up"), { ...nextStep("To use it in this shell", "emulator", "env"), isEvaluated: true as const }];
  const [shown, quiet, json] = [await open(), await open({ quiet: true }), await open({ json: true })];
  for (const { terminal } of [shown, quiet, json]) terminal.nextSteps(steps);
  const use = 'To use it in this shell:\n    eval "$(cloudrun-oauth emulator env)"';
  expect([shown.err(), quiet.err(), json.err()]).toEqual([`\nNext steps:\n  To deploy:\n    cloudrun-oauth up\n  ${use}\n`, "", ""]);
});

test("without a spinner progress is a line, and the next one follows after a pause", async () => {
  const { terminal, err } = await open();
  await terminal.step(WORK, async (tell) => ["a tenth", "a fifth", "a half"].forEach(tell));
  expect(err()).toMatch(/^Working: a tenth\n✓ Worked\n$/);
});

test("--quiet hides notes and progress, but not warnings", async () => {
  const { terminal, err } = await open({ quiet: true });
  terminal.note("note");
  terminal.debug("detail");
  terminal.warn("careful");
  expect(await terminal.step(WORK, async () => 5)).toBe(5);
  expect(err()).toBe("Warning: careful\n");
});

test("a failed step is marked, and rejects with its error", async () => {
  const { terminal, err } = await open();
  await expect(terminal.step(WORK, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(err()).toMatch(/^✗ Working failed\n$/);
});

test("a table is aligned on a terminal, and tab-separated in a pipe", async () => {
  const rows = [
    ["URL", "https://a"],
    ["REVISION", "b", "c"],
  ];
  const [person, program] = [await open({ tty: true }), await open()];
  person.terminal.printTable(rows);
  program.terminal.printTable(rows);
  expect(person.out()).toBe("URL       https://a\nREVISION  b          c\n");
  expect(program.out()).toBe("URL\thttps://a\nREVISION\tb\tc\n");
});

test("--verbose and warnings print no tokens or keys", async () => {
  const { terminal, err } = await open({ verbose: true });
  terminal.debug("Authorization: Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln");
  terminal.warn("got ya29.a0Af_secret and -----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----.");
  expect(err()).toBe("Authorization: Bearer [token]\nWarning: got [token] and [private key].\n");
});

test("a terminal is interactive only on real terminals, outside CI, and without --json", async () => {
  const isInteractive = async (options: Parameters<typeof open>[0]) => (await open(options)).terminal.interactive;
  expect(await isInteractive({ tty: true })).toBe(true);
  expect(await isInteractive({ tty: false })).toBe(false);
  expect(await isInteractive({ tty: true, env: { CI: "true" } })).toBe(false);
  expect(await isInteractive({ tty: true, json: true })).toBe(false);
  expect(await isInteractive({ tty: true, env: { CI: "false" } })).toBe(true);
});

test("a question that no one can answer is an error that names the flag", async () => {
  const { terminal } = await open();
  await expect(terminal.confirm("Delete it?")).rejects.toMatchObject({ code: "USAGE", hint: "To confirm, pass --yes." });
  await expect(terminal.ask("Which?", { flag: "--service" })).rejects.toMatchObject({ code: "USAGE", hint: "Pass --service." });
});

test("--yes answers with the default", async () => {
  const { terminal } = await open({ yes: true });
  expect(await terminal.confirm("Delete it?")).toBe(true);
  expect(await terminal.ask("Which?", { flag: "--service", initial: "hello" })).toBe("hello");
});

test("an offer is accepted under --yes, asks during a spinner, and is declined if no one can answer", async () => {
  expect(await (await open({ yes: true })).terminal.offer("Enable it?")).toBe(true);
  const nobody = await open();
  expect([await nobody.terminal.offer("Enable it?"), nobody.err()]).toEqual([false, ""]);

  const { terminal, stdin, err } = await open({ tty: true, env: { NO_COLOR: "1", TERM: "xterm" } });
  let said = "";
  const read = () => (said += err());
  const asked = terminal.step(WORK, () => terminal.offer("Enable it?"));
  await expect.poll(read, { timeout: 20_000 }).toContain("Enable it?");
  stdin.write("y");
  expect(await asked).toBe(true);
  expect(read()).toMatch(/✓ Worked/);
});

test("stdout has colors only on a terminal", async () => {
  const [person, program, forced] = [
    await open({ tty: true, env: { TERM: "xterm" } }),
    await open({ env: {} }),
    await open({ env: { FORCE_COLOR: "1" } }),
  ];
  expect([person, program, forced].map(({ terminal }) => terminal.style("red", "text"))).toEqual([
    "\u001B[31mtext\u001B[39m",
    "text",
    "\u001B[31mtext\u001B[39m",
  ]);
});

test("questions use stderr and stdin, and Ctrl-C interrupts them", async () => {
  const first = await open({ tty: true });
  const yes = first.terminal.confirm("Delete it?");
  await expect.poll(first.err).toContain("Delete it?");
  first.stdin.write("y");
  expect(await yes).toBe(true);
  expect(first.out()).toBe("");

  const second = await open({ tty: true });
  const asked = second.terminal.ask("Which?", { flag: "--service" }).catch((error: unknown) => error);
  await expect.poll(second.err).toContain("Which?");
  second.stdin.write("\u0003");
  expect(await asked).toMatchObject({ code: "INTERRUPTED" });
});

test("a question ends with the command, by a signal or by --timeout", async () => {
  const end = new AbortController();
  const { terminal, err } = await open({ tty: true, signal: end.signal });
  const asked = Promise.allSettled([terminal.confirm("Delete it?")]);
  await expect.poll(err).toContain("Delete it?");
  end.abort();
  expect(await asked).toMatchObject([{ status: "rejected", reason: { code: "INTERRUPTED" } }]);
});

test("a spinner on a terminal shows the elapsed time", async () => {
  const { terminal, err } = await open({ tty: true, env: { NO_COLOR: "1", TERM: "xterm" } });
  await terminal.step(WORK, () => new Promise((resolve) => setTimeout(resolve, 200)));
  expect(err()).toMatch(/Working… \(\d+\.\d s\)[\s\S]*✓ Worked\n$/);
});

test("a terminal without a width, such as a container's, gets no spinner", async () => {
  const [stdin, stdout, stderr] = [terminalStream(true), terminalStream(true), terminalStream(true, 0)];
  const terminal = await openTerminal({ stdin, stdout, stderr, env: { NO_COLOR: "1", TERM: "xterm" } });
  await terminal.step(WORK, async () => {});
  expect(String(stderr.read())).toMatch(/^✓ Worked\n$/);
});

test("secrets are masked on GitHub Actions only", async () => {
  const [there, here] = [await open({ env: { GITHUB_ACTIONS: "true" } }), await open()];
  there.terminal.mask("secret");
  here.terminal.mask("secret");
  expect([there.err(), here.err()]).toEqual(["::add-mask::secret\n", ""]);
});

test("a step that takes a second or more says how long it took", async () => {
  const { terminal, err } = await open();
  await terminal.step({ running: "Working", done: "Worked" }, () => pause(1001));
  expect(err()).toMatch(/^✓ Worked \(1\.\d s\)\n$/);
});

test("a table is cut to the terminal's width, and a list of facts isn't", async () => {
  const long = "x".repeat(100);
  const { terminal, out } = await open({ tty: true });
  terminal.printTable([["hello", long]], { header: ["name", "image"] });
  expect(
    out()
      .split("\n")
      .map((line) => line.length),
  ).toEqual([12, 80, 0]);
  terminal.printTable([["IMAGE", long]]);
  expect(out()).toBe(`IMAGE  ${long}\n`);
});
