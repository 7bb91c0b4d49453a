import { expect } from "vitest";
import { testBothBackEnds } from "../../helpers/both-back-ends.ts";
import type { Json } from "../../helpers/api-server.ts";
import { HELLO, tinyService } from "../../helpers/emulator.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";

testBothBackEnds(({ testBackEnd, json, run, expectSame, emulator }) => {
  testBackEnd("the log shows a service's entries, or those that match the flags", async () => {
    const { project, request, deploy } = emulator();
    await deploy("hello", tinyService(HELLO));
    const labels = { project_id: project, location: "us-central1", service_name: "written", revision_name: "written-00001-abc" };
    const written = (timestamp: string, logId: string, rest: object) => ({
      logName: `projects/${project}/logs/run.googleapis.com%2F${logId}`,
      resource: { type: "cloud_run_revision", labels },
      timestamp,
      insertId: timestamp,
      trace: `projects/${project}/traces/${TRACE}`,
      ...rest,
    });
    const httpRequest = {
      requestMethod: "GET",
      requestUrl: "https://written.run.app/a?b=c",
      status: 503,
      latency: "1.25s",
      responseSize: "12",
    };
    const now = Date.now();
    const at = (milliseconds: number) => new Date(now - 60_000 + milliseconds).toISOString();
    const entries = [
      written(at(0), "requests", { severity: "ERROR", httpRequest }),
      written(at(20), "stdout", {
        severity: "INFO",
        jsonPayload: { message: "no stock", order: { id: 5 } },
      }),
      written(at(30), "stderr", { textPayload: 'say "100 %" \\ once' }),
    ];
    const { status } = await request("POST", "logging.googleapis.com", "/v2/entries:write", { body: { entries } });
    expect(status).toBe(200);

    const all = (await json(["logs", "written"])) as Json[];
    expect(all).toMatchObject(entries);
    expectSame("entries", { all: all.map((entry) => ({ ...entry, insertId: "ID" })) });
    expect(await json(["logs", "written", "--grep", 'SAY "100 %" \\', "--since", "10m", "-n", "5"])).toMatchObject([entries[2]]);
    const { stdout } = await run(["logs", "written", "--severity", "error", "-n", "1"]);
    expect(stdout.replace(/^\S+Z/gm, "TIME").trimEnd().split("\n")).toEqual([
      "TIME  ERROR     00001-abc  GET /a?b=c 503 1.3 s",
      'TIME  INFO      00001-abc  │ no stock  {"order":{"id":5}}',
      'TIME  DEFAULT   00001-abc  │ say "100 %" \\ once',
    ]);
  });
});
