import { expect } from "vitest";
import { testBothBackEnds } from "../../helpers/both-back-ends.ts";
import { tinyService } from "../../helpers/emulator.ts";
import { MOODY_SERVER } from "../../helpers/operator.ts";

// gcloud's list format would split this, and a shell would expand it.
const AWKWARD = `a,b;|@::"it's $HOME"\nnext line`;
const FLAGS =
  "--memory=1Gi --cpu 2 --min-instances=0 --max-instances 7 --concurrency=10 --timeout 1m30s --port=9090 " +
  "--no-cpu-throttling --labels team=apps --ingress=internal --set-env-vars ^;^A=1,2;B=3";

testBothBackEnds(({ testBackEnd, json, failure, expectSame, emulator }) => {
  testBackEnd("a service is deployed with gcloud's flags, listed, changed, gets split traffic, and is deleted", async () => {
    const { project, request } = emulator();
    await emulator().deploy("hello", tinyService(MOODY_SERVER));
    const deployed = await json(["deploy", "hello", "--image", `gcr.io/${project}/hello`, "--", ...FLAGS.split(" ")]);
    expect(deployed).toMatchObject({ memory: "1Gi", cpu: "2", max_instances: 7, timeout: 90, port: 9090, labels: { team: "apps" } });
    expectSame("deployed", deployed);
    expectSame("listed", await json(["list"]));

    const broken = await failure(["env", "set", "hello", `VALUE=${AWKWARD}`, "MOOD=bad"]);
    expect(broken["exit_code"]).toBe(1);
    expectSame("broken", broken);
    const path = `/apis/serving.knative.dev/v1/namespaces/${project}/services/hello`;
    const { spec } = (await request("GET", "us-central1-run.googleapis.com", path)).json;
    const [container] = spec.template.spec.containers;
    expect(container.env).toEqual([
      { name: "A", value: "1,2" },
      { name: "B", value: "3" },
      { name: "VALUE", value: AWKWARD },
      { name: "MOOD", value: "bad" },
    ]);
    expect(container.image).toMatch(/^gcr\.io\/cloudrun-local\/hello@sha256:/);

    // The latest revision isn't ready, which doesn't affect the others.
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
