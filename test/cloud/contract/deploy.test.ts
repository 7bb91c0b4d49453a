import { expect } from "vitest";
import { testBothBackEnds } from "../../helpers/both-back-ends.ts";
import { folder } from "../../helpers/command-line.ts";
import { HELLO, tinyService } from "../../helpers/emulator.ts";

/** A service that responds with a text and its MOOD variable. */
const saying = (text: string) =>
  folder(
    tinyService(
      `require("node:http").createServer((_, r) => r.end(${JSON.stringify(text)} + (process.env.MOOD ?? ""))).listen(process.env.PORT);`,
    ),
  );

testBothBackEnds(({ via, testBackEnd, json, run, expectSame, emulator }) => {
  testBackEnd("a service is deployed from a folder, and each further deployment creates a revision", async () => {
    const { project, build } = emulator();
    expectSame("built", await json(["build", folder(tinyService(HELLO)), "-s", "hello"]));
    const deployed = await json(["deploy", "hello", "--source", saying("one"), "--env", "MOOD=!"]);
    expectSame("from source", deployed);
    expectSame("described", await json(["describe", "hello"]));
    const env = { SERVICE_NAME: "hello" };
    await json(["grant", "hello"]);
    expect(await json(["invoke"], { env })).toEqual({ status_code: 200, response: "one!" });

    const image = `gcr.io/${project}/hello`;
    const account = `caller@${project}.iam.gserviceaccount.com`;
    await build(image, tinyService(`require("node:http").createServer((_, r) => r.end("two")).listen(process.env.PORT);`));
    const tagged = await json(["deploy", "hello", "--image", image, "--tag", "next", "--no-traffic", "--service-account", account]);
    expectSame("tagged", tagged);
    const { url } = (tagged["traffic"] as { tag: string; url: string }[]).find(({ tag }) => tag === "next") ?? {};
    expect(await json(["invoke", url ?? ""], { env })).toEqual({ status_code: 200, response: "two" });
    expect(await json(["invoke"], { env })).toEqual({ status_code: 200, response: "one!" });

    // The image's name is the same, but it refers to another image.
    await build(image, tinyService(`require("node:http").createServer((_, r) => r.end("three")).listen(process.env.PORT);`));
    expectSame("public", await json(["deploy", "hello", "--image", image, "--tag", "next", "--allow-unauthenticated", "--yes"]));
    expect(await json(["invoke", url ?? ""], { env })).toEqual({ status_code: 200, response: "three" });
    expectSame("public members", await json(["members", "hello"]));
    expectSame("private", await json(["deploy", "hello", "--image", image]));
    expectSame("private members", await json(["members", "hello"]));
  });

  testBackEnd("a format that is passed through changes nothing with gcloud, and is refused with Google's API", async () => {
    const { project, build } = emulator();
    const image = `gcr.io/${project}/formatted`;
    await build(image, tinyService(HELLO));
    const done = await run(["--json", "deploy", "formatted", "--image", image, "--", "--format=yaml"]);
    if (via === "gcloud") expect(JSON.parse(done.stdout)).toMatchObject({ service: "formatted" });
    expect(done).toMatchObject({ exitCode: via === "gcloud" ? 0 : 2 });
  });
});
