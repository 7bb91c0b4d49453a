import { expect, test } from "vitest";
import { formatValues } from "../../src/terminal/format-values.ts";
import { DESCRIBE_CALL, runWithGcloud } from "../helpers/gcloud-service.ts";

const DOCUMENT = {
  url: "https://a",
  count: 0,
  missing: null,
  traffic: [
    { revision: "a-2", percent: 90, tag: null },
    { revision: "a-1", percent: 10 },
  ],
  none: [],
};

test.for<[keys: string, text: string]>([
  ["url", "https://a\n"],
  ["url,count", "https://a\t0\n"],
  ["missing", "\n"],
  ["nothing.there", "\n"],
  ["traffic.revision,traffic.percent", "a-2\t90\na-1\t10\n"],
  ["traffic.tag,traffic.revision", "\ta-2\n\ta-1\n"],
  ["none", ""],
])("value(%s) prints %j", ([keys, text]) => {
  expect(formatValues(DOCUMENT, keys.split(","))).toBe(text);
});

test("--format value(KEY) prints a field of any command's document", async () => {
  expect(await runWithGcloud(["describe", "--url", "--format", "value(url)"], [DESCRIBE_CALL])).toMatchObject({
    exitCode: 0,
    stdout: "https://hello-abc123-uc.a.run.app\n",
  });
  expect(await runWithGcloud(["describe", "--format=yaml"])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("value(KEY)") });
  const { stdout } = await runWithGcloud(["describe", "--url", "--format=json"], [DESCRIBE_CALL]);
  expect(JSON.parse(stdout)).toEqual({ url: "https://hello-abc123-uc.a.run.app" });
});
