import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { testBothBackEnds } from "../../helpers/both-back-ends.ts";
import { folder } from "../../helpers/command-line.ts";

const ACCOUNT = "some-caller@cloudrun-local.iam.gserviceaccount.com";

testBothBackEnds(({ testBackEnd, json, expectSame }) => {
  testBackEnd("an account is created, gets keys, loses them, and is deleted", async () => {
    const cwd = folder();
    expectSame("made", await json(["accounts", "create", "some-caller", "--display-name", "Some caller"]));
    const again = await json(["accounts", "create", "some-caller", "--display-name", "Another"]);
    expect(again).toMatchObject({ account: ACCOUNT, display_name: "Some caller", created: false });
    const listed = await json(["accounts", "list"]);
    expect(listed["accounts"]).toContainEqual({
      account: ACCOUNT,
      project: "cloudrun-local",
      display_name: "Some caller",
      unique_id: expect.stringMatching(/^\d{21}$/),
      disabled: false,
    });
    expectSame("accounts", listed);

    const made = await json(["keys", "create", "key.json", "--account", "some-caller"], { cwd });
    const file = join(cwd, "key.json");
    const text = readFileSync(file, "utf8");
    expect(made).toEqual({ account: ACCOUNT, key_id: JSON.parse(text).private_key_id, file, git: null });
    expect([statSync(file).mode & 0o777, readdirSync(cwd)]).toEqual([0o600, ["key.json"]]);

    const rotated = await json(["keys", "rotate", "key.json", "--yes"], { cwd });
    expect(rotated).toMatchObject({ account: ACCOUNT, file, old_key_id: made["key_id"], old_key_deleted: true, git: null });
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ private_key_id: rotated["key_id"], client_email: ACCOUNT });
    expect([statSync(file).mode & 0o777, readdirSync(cwd)]).toEqual([0o600, ["key.json"]]);
    const keys = await json(["keys", "list", "--account", ACCOUNT], { cwd });
    expect(keys["keys"]).toEqual([
      { key_id: rotated["key_id"], created_at: expect.any(String), expires_at: null, managed_by: "user", disabled: false, file },
    ]);
    expectSame("keys", { ...keys, keys: keys["keys"].map((key: object) => ({ ...key, file: "key.json" })) });

    expect(await json(["keys", "delete", "key.json", "--yes"], { cwd })).toMatchObject({ key_id: rotated["key_id"], deleted: true, file });
    expectSame("deleted", await json(["accounts", "delete", "some-caller", "--yes"]));
  });
});
