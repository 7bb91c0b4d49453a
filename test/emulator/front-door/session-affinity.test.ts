import { json } from "node:stream/consumers";
import { expect, test } from "vitest";
import { readSession, sessionCookie } from "../../../src/emulator/front-door/session-affinity.ts";
import { PROJECT } from "../../helpers/api-server.ts";
import { openFrontDoor } from "../../helpers/front-door.ts";

const SERVER = `
  require("node:http")
    .createServer((request, response) => setTimeout(() => response.end(JSON.stringify({ pid: process.pid })), request.url === "/slow" ? 400 : 0))
    .listen(process.env.PORT);
`;

test("a session is read from its cookie, at any position among others", () => {
  const session = { revisionName: "hello-00001-abc", instanceId: "one" };
  const cookie = sessionCookie(session, Date.parse("2026-01-01T00:00:00Z"));
  expect(cookie).toMatch(/^GAESA=[\w-]+; expires=Sat, 31 Jan 2026 00:00:00 GMT; path=\/$/);
  const [pair = ""] = cookie.split(";");
  expect(readSession(["Host", "x", "Cookie", `theme=dark; ${pair}; a=b`])).toEqual(session);
  expect(readSession(["cookie", "a=b", "Cookie", pair])).toEqual(session);
  for (const other of ["a=b", "XGAESA=abc", "GAESA=", "GAESA=%%", "GAESA=AAAA"]) expect(readSession(["Cookie", other])).toBeUndefined();
});

test("with session affinity a caller returns to its instance, and gets another one if that is busy", async () => {
  const { state, key, call } = await openFrontDoor({ script: SERVER, spec: { containerConcurrency: 1 } });
  const revision = state.revisions.get(key);
  if (!revision) throw new Error("The service has no revision");
  const annotations = { ...revision.metadata.annotations, "run.googleapis.com/sessionAffinity": "true" };
  state.revisions.set(key, { ...revision, metadata: { ...revision.metadata, annotations } });
  const ask = async (path: string, cookie = "") => {
    const answer = await call(path, { headers: cookie === "" ? {} : { cookie } });
    const { pid } = (await json(answer)) as { pid: number };
    return { pid, cookie: answer.headers["set-cookie"]?.[0]?.split(";")[0] };
  };
  const [one, two] = await Promise.all([ask("/slow"), ask("/slow")]);
  expect(one.pid).not.toBe(two.pid);
  for (let count = 0; count < 3; count++) {
    expect(await ask("/", one.cookie)).toEqual({ pid: one.pid, cookie: undefined });
    expect(await ask("/", two.cookie)).toEqual({ pid: two.pid, cookie: undefined });
  }
  const both = await Promise.all([ask("/slow", one.cookie), ask("/slow", one.cookie)]);
  expect(both).toEqual(expect.arrayContaining([{ pid: one.pid, cookie: undefined }, two]));
});

test("a session's revision overrides the traffic split as long as it receives traffic", async () => {
  const { state, key, call } = await openFrontDoor({ script: SERVER });
  const revision = state.revisions.get(key);
  const service = state.services.get(`${PROJECT}/us-central1/hello`);
  if (!revision || !service) throw new Error("The service is missing");
  const own = revision.metadata.name;
  const annotations = { ...revision.metadata.annotations, "run.googleapis.com/sessionAffinity": "true" };
  const clone = (name: string) => ({ ...revision, metadata: { ...revision.metadata, name, annotations } });
  state.revisions.set(key, clone(own));
  state.revisions.set(`${PROJECT}/us-central1/hello-other`, clone("hello-other"));
  const split = (percent: number) => {
    const traffic = [
      { revisionName: own, percent },
      { revisionName: "hello-other", percent: 100 - percent },
    ];
    state.services.set(`${PROJECT}/us-central1/hello`, { ...service, status: { ...service.status, traffic } });
  };
  const pidOf = async (cookie: string) => ((await json(await call("/", { headers: { cookie } }))) as { pid: number }).pid;
  split(100);
  const first = await call("/");
  const [cookie = ""] = first.headers["set-cookie"]?.[0]?.split(";") ?? [];
  const { pid } = (await json(first)) as { pid: number };
  split(1);
  for (let count = 0; count < 5; count++) expect(await pidOf(cookie)).toBe(pid);
  split(0);
  expect(await pidOf(cookie)).not.toBe(pid);
});

test("without session affinity no cookie is set", async () => {
  const { call } = await openFrontDoor({ script: SERVER });
  expect((await call("/")).headers["set-cookie"]).toBeUndefined();
});
