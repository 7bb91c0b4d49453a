import { expect, test } from "vitest";
import { tinyService } from "../../helpers/emulator.ts";
import { MOODY_SERVER, openOperator } from "../../helpers/operator.ts";

const { emulator, cli, json, refusal } = openOperator();

test("delete shows what it removes, needs a confirmation, and exits with 4 if the service does not exist", async () => {
  await emulator().deploy("gone", tinyService(MOODY_SERVER));
  const { exitCode, stdout, stderr } = await cli(["delete", "gone"]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).toContain(
    `This permanently deletes service gone (us-central1, project ${emulator().project}) with all revisions and its IAM policy.\n  https://gone-`,
  );
  expect(stderr).toContain("  To confirm, pass --yes.");
  expect(await json("--yes", "delete", "gone")).toMatchObject({ service: "gone", region: "us-central1", deleted: true });
  expect(await refusal("--yes", "delete", "gone")).toMatchObject({ exitCode: 4, message: 'Service "gone" not found in us-central1.' });
});
