import { expect } from "vitest";
import type { Json } from "../../helpers/api-server.ts";
import { testBothBackEnds } from "../../helpers/both-back-ends.ts";
import { HELLO, tinyService } from "../../helpers/emulator.ts";

const ME = "user:me@example.com";
const SOMEBODY_ELSE = "domain:example.org";

testBothBackEnds(({ testBackEnd, json, expectSame, emulator }) => {
  testBackEnd("a member gets a role, keeps the others' roles, and loses it again", async () => {
    await emulator().deploy("hello", tinyService(HELLO));
    expectSame("granted", await json(["grant", "hello", "--member", ME]));
    await json(["grant", "hello", "--member", SOMEBODY_ELSE]);
    const members = await json(["members", "hello"]);
    const invoker = { role: "roles/run.invoker", may_call: true, inherited_from: null, condition: null };
    const own = (found: Json) => (found["members"] as Json[]).filter(({ inherited_from }) => inherited_from === null);
    expect(own(members)).toEqual([SOMEBODY_ELSE, ME].map((member) => ({ member, ...invoker })));
    expect(members["members"]).toContainEqual(expect.objectContaining({ role: "roles/owner", inherited_from: "project" }));
    expectSame("members", members);
    const revoked = await json(["revoke", "hello", "--member", ME]);
    expect(revoked["bindings"]).toEqual([{ role: "roles/run.invoker", members: [SOMEBODY_ELSE] }]);
    expectSame("revoked", revoked);
  });
});
