import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { IMAGE, serveCloudBuild, uploadSource } from "../../../helpers/cloud-build.ts";

const PACK = { name: "gcr.io/k8s-skaffold/pack", entrypoint: "pack" };

async function pack(files: Readonly<Record<string, string>>) {
  const cloudBuild = await serveCloudBuild();
  const { id } = await cloudBuild.submit("", {
    source: await uploadSource(cloudBuild.state, files),
    steps: [
      { ...PACK, args: ["config", "default-builder", "gcr.io/buildpacks/builder:latest"] },
      { ...PACK, args: ["build", IMAGE, "--network", "cloudbuild"] },
    ],
  });
  return { ...cloudBuild, build: await cloudBuild.finish(id), log: await cloudBuild.log(id) };
}

test("the build of gcloud builds submit --pack needs no Dockerfile, and its log looks like pack's", async () => {
  const { state, build, log } = await pack({
    "package.json": JSON.stringify({ main: "a.js" }),
    "package-lock.json": "{}",
    "a.js": "1",
    ".dockerignore": "*",
    "node_modules/stale/index.js": "1",
  });
  expect(build["status"]).toBe("SUCCESS");
  const [{ digest }] = build["results"].images;
  const rootfs = join(state.directory, "images", digest.slice(7), "rootfs");
  expect(readFileSync(join(rootfs, "a.js"), "utf8")).toBe("1");
  expect(() => readFileSync(join(rootfs, "node_modules/stale/index.js"))).toThrow("ENOENT");
  const lines = log.split("\n").filter((line) => line.startsWith("Step #1"));
  expect(lines).toEqual(
    [
      "Already have image (with digest): gcr.io/k8s-skaffold/pack",
      "===> ANALYZING",
      `[analyzer] Image with name "${IMAGE}" not found`,
      "===> DETECTING",
      "[detector] google.nodejs.runtime",
      "[detector] google.nodejs.npm",
      "===> RESTORING",
      "===> BUILDING",
      "[builder] === Node.js - Runtime (google.nodejs.runtime) ===",
      "[builder] Installing Node.js v22.",
      "[builder] === Node.js - Npm (google.nodejs.npm) ===",
      "[builder] Installing application dependencies.",
      "[builder] Step : FROM node:22-slim",
      "[builder] Step : WORKDIR /workspace",
      "[builder] Step : COPY . ./",
      "[builder] Step : ARG NODE_ENV=production",
      "[builder] Step : RUN npm ci --quiet --no-fund --no-audit",
      "[builder] Step : ENV NODE_ENV=production PATH=/workspace/node_modules/.bin:$PATH",
      '[builder] Step : CMD ["node","a.js"]',
      "===> EXPORTING",
      `[exporter] *** Images (${digest.slice(7, 19)}):`,
      `[exporter]       ${IMAGE}`,
      `Successfully built image ${IMAGE}`,
    ].map((line) => `Step #1: ${line}`),
  );
});

test("a source that matches no buildpack fails in pack's words", async () => {
  const { build, log } = await pack({ "README.md": "" });
  expect(build).toMatchObject({ status: "FAILURE", failureInfo: { type: "USER_BUILD_STEP" } });
  expect(log).toContain("[detector] ERROR: No buildpack groups passed detection.");
  expect(log).toContain("Step #1: ERROR: failed to build: executing lifecycle: failed with status code: 20\n");
});

test("a buildpack that fails gives the reason", async () => {
  const { build, log } = await pack({ "x.py": "" });
  expect(build["status"]).toBe("FAILURE");
  expect(log).toContain("[builder] Failure: for Python, provide a main.py or app.py file");
  expect(log).toContain("failed with status code: 51");
});
