import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { SCHEMA_URL } from "../../../src/settings/json-schema.ts";
import { folder } from "../../helpers/command-line.ts";
import { openPty } from "../../helpers/pty.ts";
import { testNeeding } from "../../helpers/requirements.ts";

const BIN = fileURLToPath(new URL("../../../bin/cloudrun-oauth.js", import.meta.url));
const [ENTER, DOWN, CTRL_C] = ["\r", "\u001b[B", "\u0003"];

/** A user with two gcloud configurations and a key file. */
function userWithGcloud() {
  const home = folder({
    ".config/gcloud/configurations/config_default": "[core]\naccount = me@example.com\nproject = my-project\n",
    ".config/gcloud/configurations/config_work": "[core]\naccount = me@example.org\nproject = work-project\n[run]\nregion = europe-west1\n",
  });
  return { HOME: home, PATH: "/usr/bin:/bin", CREDS: "/keys/caller.json", NO_GCE_CHECK: "true" };
}

const command = (...argv: string[]) => `exec '${process.execPath}' '${BIN}' ${argv.join(" ")}`;

testNeeding("script", "init asks on a terminal, and offers values that the user has", async ([script = ""]) => {
  const cwd = folder({ "mine.txt": "" });
  const pty = openPty(script, command("init"), { env: userWithGcloud(), cwd });
  await pty.waitFor("Directory for the service (the current directory isn't empty)");
  pty.type(ENTER);
  await pty.waitFor(/Template[\s\S]*hono \(JavaScript, Hono\)[\s\S]*fastapi/);
  pty.type(`${DOWN}${DOWN}${ENTER}`);
  await pty.waitFor("Service name");
  pty.type(ENTER);
  await pty.waitFor(
    /Google Cloud project[\s\S]*my-project \(gcloud configuration default, me@example.com\)[\s\S]*work-project[\s\S]*Enter a project ID/,
  );
  pty.type(`${DOWN}${ENTER}`);
  await pty.waitFor(/Region[\s\S]*us-central1[\s\S]*europe-west1/);
  pty.type(`${DOWN}${ENTER}`);
  await pty.waitFor(/Credentials to call the service with[\s\S]*Detect automatically[\s\S]*\/keys\/caller.json/);
  pty.type(`${DOWN}${ENTER}`);
  await pty.waitFor("Created service hello");
  expect(await pty.ended).toBe(0);
  expect(JSON.parse(readFileSync(join(cwd, "hello", "cloudrun-oauth.json"), "utf8"))).toEqual({
    $schema: SCHEMA_URL,
    service: "hello",
    template: "flask",
    project: "work-project",
    region: "europe-west1",
    credentials: "/keys/caller.json",
  });
});

testNeeding("script", "an invalid answer is asked for again, and Ctrl-C at any question leaves nothing", async ([script = ""]) => {
  const cwd = folder();
  const pty = openPty(script, command("init", "hello", "--template", "hono"), { env: userWithGcloud(), cwd });
  await pty.waitFor("Service name");
  pty.type(`_${ENTER}`);
  await pty.waitFor(/Use at most 49 lowercase letters/);
  pty.type(`\u007f${ENTER}`);
  await pty.waitFor("Google Cloud project");
  pty.type(CTRL_C);
  expect([await pty.ended, readdirSync(cwd)]).toEqual([130, []]);
});

testNeeding("script", "--no-color and NO_COLOR apply to questions and the spinner, even with FORCE_COLOR", async ([script = ""]) => {
  // oxlint-disable-next-line no-control-regex -- the pattern is about control characters; the cursor is inverse
  const colorPattern = /\u001B\[(?!2?7m)[\d;]*m/;
  const env = { ...userWithGcloud(), FORCE_COLOR: "1" };
  for (const [variables, flag, isColored] of [
    [{}, "", true],
    [{}, "--no-color", false],
    [{ NO_COLOR: "1" }, "", false],
  ] as const) {
    const asking = openPty(script, command("init", "hello", flag), { env: { ...env, ...variables }, cwd: folder() });
    const spinning = openPty(script, command("doctor", "node", flag), { env: { ...env, ...variables }, cwd: folder() });
    await asking.waitFor("Template");
    asking.type(CTRL_C);
    expect([await asking.ended, await spinning.ended]).toEqual([130, 0]);
    expect(spinning.shown()).toContain("Running 1 check");
    expect([variables, flag, colorPattern.test(asking.bytes()), colorPattern.test(spinning.bytes())]).toEqual([
      variables,
      flag,
      isColored,
      isColored,
    ]);
  }
});

testNeeding("script", "--timeout ends a question without an answer", async ([script = ""]) => {
  const cwd = folder();
  const pty = openPty(script, command("init", "hello", "--timeout", "3s"), { env: userWithGcloud(), cwd });
  await pty.waitFor("Timed out after 3 s. [TIMEOUT]");
  expect([await pty.ended, existsSync(join(cwd, "hello"))]).toEqual([7, false]);
});

testNeeding("script", "init asks nothing with --yes, or on a terminal that can only print", async ([script = ""]) => {
  for (const [line, cwd] of [
    [`${command("init", "hello", "--yes")}`, folder()],
    [`export TERM=dumb; ${command("init", "hello")}`, folder()],
  ] as const) {
    const pty = openPty(script, line, { env: userWithGcloud(), cwd });
    expect(await pty.ended).toBe(0);
    expect(pty.shown()).not.toContain("Template");
    expect(JSON.parse(readFileSync(join(cwd, "hello", "cloudrun-oauth.json"), "utf8"))).toEqual({
      $schema: SCHEMA_URL,
      service: "hello",
      template: "hono",
    });
  }
});
