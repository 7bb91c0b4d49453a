import { expect } from "vitest";
import { overBothWays } from "../../helpers/both-ways.ts";
import { tinyService } from "../../helpers/emulator.ts";

/** A service that does not start where it is told so. */
const MOODY = `
if (process.env.MOOD === "bad") process.exit(1);
require("node:http").createServer((_, response) => response.end("ok")).listen(process.env.PORT, "127.0.0.1");
`;
// What gcloud's own way with lists would cut, and a shell would read.
const AWKWARD = `a,b;|@::"it's $HOME"\nnext line`;

overBothWays(({ testWay, json, run, expectSame, emulator }) => {
  testWay("a service is listed, changed, divided and deleted", async () => {
    const { project, request } = emulator();
    await emulator().deploy("hello", tinyService(MOODY));
    expectSame("listed", await json(["list"]));

    const broken = await run(["--json", "env", "set", "hello", `VALUE=${AWKWARD}`, "MOOD=bad"]);
    expect(broken.exitCode).toBe(1);
    expectSame("broken", JSON.parse(broken.stderr.trim().split("\n").at(-1) ?? ""));
    const path = `/apis/serving.knative.dev/v1/namespaces/${project}/services/hello`;
    const { spec } = (await request("GET", "us-central1-run.googleapis.com", path)).json;
    const [container] = spec.template.spec.containers;
    expect(container.env).toEqual([
      { name: "VALUE", value: AWKWARD },
      { name: "MOOD", value: "bad" },
    ]);
    expect(container.image).toMatch(/^gcr\.io\/cloudrun-local\/hello@sha256:/);

    // The latest revision is not ready, which is none of the others' business.
    const { revisions } = await json(["traffic", "hello"]);
    expectSame("revisions", revisions);
    const [, first] = (revisions as { revision: string }[]).map(({ revision }) => revision);
    const divided = await json(["traffic", "hello", "--to", `${first}=100`, "--tag", `next=${first}`]);
    expect(divided["traffic"]).toMatchObject([
      { revision: first, percent: 100, latest: false, tag: null },
      { revision: first, percent: 0, tag: "next", url: expect.stringContaining("https://next---hello-") },
    ]);
    expectSame("divided", divided);

    expectSame("deleted", await json(["--yes", "delete", "hello"]));
    expect((await request("GET", "us-central1-run.googleapis.com", path)).status).toBe(404);
  });
});
