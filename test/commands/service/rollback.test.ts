import { expect, test } from "vitest";
import { openOperator } from "../../helpers/operator.ts";

const { cli, json, refusal, revisions, createService } = openOperator();

test("rollback goes to the newest ready revision before the one that serves, until there is none", async () => {
  const [third, second, first] = await createService("rolled", 3);
  const { stdout, stderr } = await cli(["rollback", "rolled"]);
  expect(stdout).toMatch(new RegExp(`^URL\thttps://rolled-.*\nREVISION\t${second}\nFROM\t${third}\n$`));
  expect(stderr).toMatch(new RegExp(`Rolling back from ${third} to ${second} \\(created (?:just now|.* ago)\\)\\.`));
  expect(stderr).toContain("  To send traffic to new revisions again:\n    cloudrun-oauth traffic rolled --to LATEST\n");
  expect(await json("rollback", "rolled")).toMatchObject({ revision: first, from: second, changed: true });
  expect(await refusal("rollback", "rolled")).toMatchObject({
    exitCode: 4,
    message: `Can't roll back rolled: ${first} is the only revision.`,
  });
  expect(await json("rollback", "rolled", "--to", third!)).toMatchObject({
    revision: third,
    traffic: [{ revision: third, latest: false }],
  });
  // A new revision doesn't change that.
  const { stderr: note } = await cli(["env", "set", "rolled", "COUNT=9"]);
  expect(note).toMatch(/Revision rolled-\d+-\w+ isn't receiving traffic\.\n[\s\S]*cloudrun-oauth traffic rolled --to LATEST\n/);
});

test("rollback leaves the traffic alone after a failed deployment, and skips that revision later", async () => {
  const [, first] = await createService("broken", 2);
  expect((await cli(["env", "set", "broken", "MOOD=bad"])).exitCode).toBe(1);
  const [bad, second] = await revisions("broken");
  const { reason, ...rest } = await json("rollback", "broken");
  expect(rest).toMatchObject({ revision: second, changed: false });
  expect(reason).toMatch(new RegExp(`^Revision ${bad} isn't ready: .* It receives no traffic; ${second} is still serving\\.$`));

  const refused = await refusal("traffic", "broken", "--to", bad!);
  expect(refused).toMatchObject({ exitCode: 1, code: "DEPLOY_FAILED", hint: `Ready revisions: ${second}, ${first}.` });
  expect(refused.message).toContain(`Can't send traffic to ${bad}: `);
  expect(await refusal("rollback", "broken", "--to", bad!)).toMatchObject({ exitCode: 1 });

  await json("env", "set", "broken", "MOOD=good");
  const [good] = await revisions("broken");
  expect(await json("rollback", "broken")).toMatchObject({
    from: good,
    revision: second,
    reason: expect.stringContaining(`Revision ${bad} isn't ready`),
  });
});
