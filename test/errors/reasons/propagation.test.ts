import { expect, test } from "vitest";
import { openRefusals } from "../../helpers/refusals.ts";

const MINUTE = 60_000;

test(
  "a grant that hasn't taken effect is recognized, and the caller has access once it has",
  { timeout: 120_000 },
  async ({ onTestFinished }) => {
    const world = await openRefusals(onTestFinished, { iamPropagation: 5 * MINUTE });
    const token = async () => ({ authorization: `Bearer ${await world.token()}` });
    expect(await world.ask(await token())).toMatchObject({ reason: "PRINCIPAL_NOT_IN_POLICY", details: { members: [] } });
    await world.setPolicy({ role: "roles/run.invoker", members: [world.member] });
    const young = await world.ask(await token());
    expect(young).toMatchObject({ reason: "GRANT_TOO_YOUNG", exit_code: 9 });
    expect(young.hint).toContain("usually take about 2 minutes to take effect, but can take 7 or more");
    await world.clock(6 * MINUTE);
    await expect(world.ask(await token())).rejects.toThrow("It was not explained: 200");
  },
);
