import { expect } from "vitest";
import { overBothWays } from "../../helpers/both-ways.ts";
import { HELLO, tinyService } from "../../helpers/emulator.ts";

const ME = "user:me@example.com";
const SOMEBODY_ELSE = "domain:example.org";

overBothWays(({ testWay, json, run, expectSame, emulator }) => {
  testWay("a grant, what it leaves, and its end", async () => {
    await emulator().deploy("hello", tinyService(HELLO));
    expectSame("granted", await json(["grant", "hello", "--member", ME]));
    await json(["grant", "hello", "--member", SOMEBODY_ELSE]);
    const members = await json(["members", "hello"]);
    expect(members["members"]).toEqual([SOMEBODY_ELSE, ME].map((member) => ({ member, role: "roles/run.invoker" })));
    expectSame("members", members);
    expectSame("revoked", await json(["revoke", "hello", "--member", ME]));
    expect((await json(["members", "hello"]))["members"]).toEqual([{ member: SOMEBODY_ELSE, role: "roles/run.invoker" }]);
  });

  testWay("a service that is not there has no policy", async () => {
    const { exitCode, stdout, stderr } = await run(["--json", "members", "nobody"]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 4, stdout: "" });
    expectSame("no policy", JSON.parse(stderr.trim().split("\n").at(-1) ?? ""));
  });
});
