import { mkdirSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, expect } from "vitest";
import { HELLO, startEmulator, tinyService, type Files } from "../helpers/emulator.ts";
import { openGcloud } from "../helpers/gcloud.ts";
import { testNeeding } from "../helpers/requirements.ts";

/** In milliseconds. Starting gcloud takes a second, or several on a busy machine. */
const TIMEOUT = 180_000;

const emulator = await startEmulator(afterAll);
const { port, project } = emulator;
const { environment } = emulator.status();
const { folder, gcloud } = openGcloud(environment);

/** Writes a source and returns its folder. */
function source(name: string, files: Files): string {
  const directory = join(folder, name);
  mkdirSync(directory);
  for (const [path, content] of Object.entries(files)) writeFileSync(join(directory, path), content);
  return directory;
}

async function rows(line: string): Promise<string[]> {
  const { stdout } = await gcloud(line);
  return stdout.split("\n").filter((row) => row !== "");
}

/** Calls a service, or a tag of it, with the caller's ID token. */
async function call(url: string, audience = url): Promise<string> {
  const headers = { host: new URL(url).host, authorization: `Bearer ${await emulator.idToken(audience)}` };
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, headers, agent: false }, (response) => resolve(text(response))).on("error", reject);
  });
}

const SAYS_HELLO = JSON.stringify({ message: "Hello World from authenticated Cloud Run!" });
const CALLER = `serviceAccount:${environment["SERVICE_ACCOUNT_EMAIL"]}`;

testNeeding(
  "gcloud",
  "run deploy accepts sources with and without a Dockerfile, in GA and in beta",
  async () => {
    const packageJson = { name: "packed", version: "1.0.0", scripts: { start: "node main.js" } };
    const lock = { name: "packed", version: "1.0.0", lockfileVersion: 3, packages: { "": { name: "packed", version: "1.0.0" } } };
    source("packed", {
      "main.js": HELLO,
      "package.json": JSON.stringify(packageJson),
      "package-lock.json": JSON.stringify(lock),
    });
    source("docked", tinyService(HELLO));
    // Two deployments at once would both create it.
    const repositories = `/v1/projects/${project}/locations/us-central1/repositories?repositoryId=cloud-run-source-deploy`;
    await emulator.request("POST", "artifactregistry.googleapis.com", repositories, { body: { format: "DOCKER" } });
    const [packed, docked] = await Promise.all([
      gcloud("run deploy packed --source packed --region us-central1 --quiet"),
      gcloud("beta run deploy docked --source docked --region us-central1 --quiet"),
    ]);
    expect(packed.stderr).toContain("Building using Buildpacks and deploying container to Cloud Run service [packed]");
    expect(docked.stderr).toContain("Building using Dockerfile and deploying container to Cloud Run service [docked]");
    for (const [name, { stderr }] of Object.entries({ packed, docked })) {
      expect(stderr).toMatch(
        new RegExp(`Service \\[${name}\\] revision \\[${name}-00001-\\w{3}\\] has been deployed and is serving 100 percent of traffic`),
      );
      await emulator.grant(name, CALLER);
      const [, url = ""] = /^Service URL: (\S+)$/m.exec(stderr) ?? [];
      expect(await call(url)).toBe(SAYS_HELLO);
    }
  },
  TIMEOUT,
);

testNeeding(
  "gcloud",
  "an image is built, deployed, gets traffic and revisions, and is deleted",
  async () => {
    source("hello", tinyService(HELLO));
    const image = `gcr.io/${project}/hello`;
    await gcloud(`builds submit hello --tag ${image} --suppress-logs`);
    const [[build = ""], deployed] = await Promise.all([
      rows("builds list --filter status=SUCCESS --format value(id,images) --limit 1"),
      gcloud(`run deploy hello --image ${image} --region us-central1 --quiet`),
    ]);
    expect(build).toContain(image);
    const [, first = ""] = /revision \[(hello-00001-\w{3})\]/.exec(deployed.stderr) ?? [];
    await emulator.grant("hello", CALLER);

    const [log, canary] = await Promise.all([
      gcloud(`builds log ${build.split(/\s/)[0]}`),
      gcloud("run services update hello --update-env-vars=A=1 --tag blue --no-traffic --region us-central1"),
    ]);
    expect(log.stdout).toContain("Successfully tagged");
    expect(canary.stderr).toMatch(/revision \[hello-00002-\w{3}\] has been deployed and is serving 0 percent of traffic/);
    const [, tagged = ""] = /can be reached directly at (\S+)/.exec(canary.stderr) ?? [];
    const untagged = tagged.replace("blue---", "");
    expect(await call(tagged, untagged)).toBe(SAYS_HELLO);

    const [[status], services, revisions] = await Promise.all([
      rows("run services describe hello --region us-central1 --format value(status.traffic[0].revisionName,status.traffic[1].tag)"),
      rows("run services list --format value(metadata.name,status.url)"),
      rows("run revisions list --service hello --region us-central1 --sort-by ~metadata.creationTimestamp --format value(metadata.name)"),
    ]);
    expect(status).toBe(`${first}\tblue`);
    expect(services).toContain(`hello\t${untagged}`);
    expect(revisions).toEqual([expect.stringMatching(/^hello-00002-/), first]);
    const second = revisions[0] as string;

    const traffic = async (flags: string) =>
      JSON.parse((await gcloud(`run services update-traffic hello --region us-central1 --format json ${flags}`)).stdout) as object;
    expect(await traffic("--to-tags blue=50")).toMatchObject([
      { displayRevisionId: first, displayPercent: "50%" },
      { displayRevisionId: second, displayPercent: "50%" },
    ]);
    const [exported] = await Promise.all([
      gcloud("run services describe hello --region us-central1 --format export"),
      gcloud(`run revisions describe ${first} --region us-central1`),
    ]);
    const wanted = exported.stdout.replace(/traffic:\n[^]*$/, `traffic:\n  - revisionName: ${first}\n    percent: 100\n`);
    writeFileSync(join(folder, "service.yaml"), wanted);
    expect((await gcloud("run services replace service.yaml --region us-central1")).stderr).toContain("New configuration has been applied");

    const again = await gcloud(`beta run deploy hello --image ${image} --update-env-vars A=2 --region us-central1 --quiet`);
    const [, third = ""] = /revision \[(hello-\d{5}-\w{3})\]/.exec(again.stderr) ?? [];
    expect(again.stderr).toContain("and is serving 0 percent of traffic");
    await expect(gcloud(`run revisions delete ${first} --region us-central1 --quiet`)).rejects.toThrow("actively serving traffic");
    expect(await traffic("--to-latest")).toMatchObject([{ displayRevisionId: `LATEST (currently ${third})`, displayPercent: "100%" }]);
    expect((await gcloud(`run revisions delete ${first} --region us-central1 --quiet`)).stderr).toContain(`Deleted revision [${first}]`);
    expect((await gcloud("run services delete hello --region us-central1 --quiet")).stderr).toContain("Deleted service [hello]");
  },
  TIMEOUT,
);
