import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { folder } from "../../helpers/command-line.ts";
import { testBothBackEnds } from "../../helpers/both-back-ends.ts";
import { SERVER, stepsOf, upFiles } from "../../helpers/up.ts";

testBothBackEnds(({ testBackEnd, json, expectSame }) => {
  testBackEnd(
    "up creates a service, finds it up to date, and promotes a candidate that passes its check; down removes everything",
    async () => {
      const cwd = folder(upFiles("hello"));
      const first = await json(["up"], { cwd });
      expect(first).toMatchObject({ refused: { status_code: 403 }, invoke: { status_code: 200 } });
      expect(stepsOf(first)).toEqual(["look", "build", "deploy", "refuse", "grant", "invoke"]);
      expectSame("up", first);
      const again = await json(["up"], { cwd });
      expect(stepsOf(again)).toEqual(["look", "refuse", "invoke"]);
      expect({ ...again, steps: [] }).toEqual({ ...first, steps: [] });

      writeFileSync(join(cwd, "server.js"), `${SERVER}// another\n`);
      const next = await json(["up", "--check", "/good"], { cwd });
      expect(stepsOf(next)).toEqual(["look", "build", "deploy", "refuse", "check", "promote", "invoke"]);
      expect(next["revision"]).toMatch(/^hello-00002-/);
      expectSame("promoted", await json(["describe", "hello"]));

      const gone = await json(["down", "hello", "--yes"]);
      expectSame("removed", gone);
      expect((gone["removed"] as { kind: string }[]).map(({ kind }) => kind)).toEqual(["service", "grant", "image", "image", "repository"]);
      expect((await json(["down", "hello", "--yes"]))["removed"]).toEqual([]);
    },
  );
});
