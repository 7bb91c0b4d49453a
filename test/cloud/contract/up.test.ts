import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { folder } from "../../helpers/command-line.ts";
import { overBothWays } from "../../helpers/both-ways.ts";
import { SERVER, upFiles } from "../../helpers/up.ts";

const CALLER = "serviceAccount:caller@cloudrun-local.iam.gserviceaccount.com";

overBothWays(({ testWay, json, run, expectSame }) => {
  testWay("up makes a service, finds it done, promotes a candidate that is good, and down leaves nothing", async () => {
    const cwd = folder(upFiles("hello"));
    const names = (document: Record<string, unknown>) => (document["steps"] as { name: string }[]).map(({ name }) => name);
    const first = await json(["up"], { cwd });
    expect(first).toMatchObject({ member: CALLER, refused: { status_code: 403 }, invoke: { status_code: 200 } });
    expect(names(first)).toEqual(["look", "build", "deploy", "refuse", "grant", "invoke"]);
    expectSame("up", first);

    const again = await json(["up"], { cwd });
    expect(names(again)).toEqual(["look", "refuse", "invoke"]);
    expect({ ...again, steps: [] }).toEqual({ ...first, steps: [] });

    writeFileSync(join(cwd, "server.js"), `${SERVER}// another\n`);
    expectSame("plan", await json(["up", "--plan", "--check", "/"], { cwd }).then(({ steps, ...rest }) => ({ ...rest, steps: steps.map(({ lines: _, ...step }: { lines: unknown }) => step) })));
    const bad = await run(["up", "--check", "/bad"], { cwd });
    expect(bad).toMatchObject({ exitCode: 8, stdout: "", stderr: expect.stringMatching(/hello-00002-\w{3} did not pass, and gets no traffic: hello-00001-\w{3} serves on\./) });
    const good = await json(["up", "--check", "/good"], { cwd });
    expect(names(good)).toEqual(["look", "refuse", "check", "promote", "invoke"]);
    expect(good["revision"]).toMatch(/^hello-00002-/);
    expectSame("promoted", await json(["describe", "hello"]));

    expectSame("to be removed", await json(["down", "hello", "--plan"]));
    const gone = await json(["down", "hello", "--yes"]);
    expect((gone["removed"] as { kind: string }[]).map(({ kind }) => kind)).toEqual(["service", "grant", "image", "image", "repository"]);
    expect((await json(["down", "hello", "--yes"]))["removed"]).toEqual([]);
    expect((await run(["describe", "hello"])).exitCode).toBe(4);
  });

  testWay("of a service that was there before, down takes back the grant that up has made, and no other", async () => {
    const cwd = folder(upFiles("mine"));
    await json(["build"], { cwd });
    await json(["deploy", "mine"], { cwd });
    await json(["grant", "mine", "--member", "user:me@example.com"]);
    const walked = await json(["up"], { cwd });
    expectSame("adopted", { ...walked, steps: [] });
    const plan = await json(["down", "mine", "--plan"]);
    expect(plan["would_remove"]).toEqual([{ kind: "grant", name: `roles/run.invoker to ${CALLER} on mine` }]);
    await json(["down", "mine", "--yes"]);
    expect((await json(["members", "mine"]))["members"]).toEqual([{ member: "user:me@example.com", role: "roles/run.invoker" }]);
    expectSame("left alone", (({ labels, traffic }) => ({ labels, traffic }))(await json(["describe", "mine"])));
  });
});
