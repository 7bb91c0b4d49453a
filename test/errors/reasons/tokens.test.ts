import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { explainTokenRefusal } from "../../../src/auth/token-refusal.ts";
import { temporaryDirectory, type Answer } from "../../helpers/api-server.ts";
import { holdRefusals, named, openRefusals, type Case, type Named } from "../../helpers/refusals.ts";

const world = await openRefusals();
const { url, project, member, caller } = world;
const HOUR = 3_600_000;

const exchanged = async (answer: Promise<Answer>): Promise<Named> => {
  const { json, headers } = await answer;
  return named(
    explainTokenRefusal(json, { key: { client_email: caller }, host: "oauth2.googleapis.com", date: headers.date, now: Date.now() }),
  );
};
const keyFileWith = (changes: Readonly<Record<string, string>>): string => {
  const path = join(temporaryDirectory(), "key.json");
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(world.environment["CREDS"] ?? "", "utf8")), ...changes }), {
    mode: 0o600,
  });
  return path;
};

const TOKENS: readonly Case[] = [
  [
    "a corrupted private key",
    "PRIVATE_KEY_BROKEN",
    () =>
      world.run([
        "invoke",
        "--credentials",
        keyFileWith({ private_key: "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n" }),
      ]),
  ],
  [
    "a deleted key",
    "KEY_UNKNOWN",
    async () => {
      const { keyFile, keyName } = await world.account();
      await world.api("iam.googleapis.com", `/v1/${keyName}`, {}, "DELETE");
      return world.run(["invoke", "--credentials", keyFile]);
    },
  ],
  [
    "a disabled key",
    "KEY_UNKNOWN",
    async () => {
      const { keyFile, keyName } = await world.account();
      await world.api("iam.googleapis.com", `/v1/${keyName}:disable`);
      return world.run(["invoke", "--credentials", keyFile]);
    },
  ],
  [
    "a deleted account",
    "ACCOUNT_DELETED",
    async () => {
      const { keyFile, resource } = await world.account();
      await world.api("iam.googleapis.com", resource, {}, "DELETE");
      return world.run(["invoke", "--credentials", keyFile]);
    },
  ],
  [
    "a disabled account",
    "ACCOUNT_DISABLED",
    async () => {
      const { keyFile, resource } = await world.account();
      await world.api("iam.googleapis.com", `${resource}:disable`);
      return world.run(["invoke", "--credentials", keyFile]);
    },
  ],
  ["a clock that is two hours ahead", "CLOCK_OFF", async () => (await world.clock(-2 * HOUR), world.run(["invoke", "--url", url]))],
  ["a clock that is two hours behind", "CLOCK_OFF", async () => (await world.clock(2 * HOUR), world.run(["invoke", "--url", url]))],
  [
    "another token_uri",
    "TOKEN_URI_WRONG",
    () => world.run(["invoke", "--credentials", keyFileWith({ token_uri: "https://oauth2.googleapis.com/token?a" })]),
  ],
  ["an empty audience", "AUDIENCE_INVALID", () => world.run(["invoke", "--audience", ""])],
  [
    "an assertion for another user",
    "UNAUTHORIZED_CLIENT",
    () => exchanged(world.exchange({ sub: "ada@example.com", target_audience: url })),
  ],
  ["an invalid assertion", "REQUEST_MALFORMED", () => exchanged(world.exchange({}, { assertion: "nonsense" }))],
  ["an invalid grant type", "REQUEST_MALFORMED", () => exchanged(world.exchange({}, { grant_type: "nonsense" }))],
];

const operator = `operator@${project}.iam.gserviceaccount.com`;
const creatorOf = (account: { readonly resource: string }) =>
  world.api("iam.googleapis.com", `${account.resource}:setIamPolicy`, {
    policy: { bindings: [{ role: "roles/iam.serviceAccountTokenCreator", members: [member] }] },
  });

const as = (...accounts: readonly string[]) => world.run(["token", url, "--impersonate-service-account", accounts.join(",")]);

const IMPERSONATIONS: readonly Case[] = [
  ["no permission to impersonate an account", "TOKEN_CREATOR_MISSING", () => as(operator)],
  [
    "no permission to delegate",
    "TOKEN_CREATOR_MISSING",
    async () => {
      const account = await world.account();
      await creatorOf(account);
      return as(account.email, operator);
    },
  ],
  ["impersonating an account that doesn't exist", "ACCOUNT_DELETED", () => as(`nobody@${project}.iam.gserviceaccount.com`)],
  [
    "impersonating a disabled account",
    "ACCOUNT_DISABLED",
    async () => {
      const account = await world.account();
      await creatorOf(account);
      await world.api("iam.googleapis.com", `${account.resource}:disable`);
      return as(account.email);
    },
  ],
  [
    "an empty audience with impersonation",
    "AUDIENCE_INVALID",
    async () => {
      const account = await world.account();
      await creatorOf(account);
      return world.run(["token", "--audience", "", "--impersonate-service-account", account.email]);
    },
  ],
  [
    "a revoked login",
    "SIGN_IN_EXPIRED",
    async () => {
      const path = join(temporaryDirectory(), "login.json");
      const login = {
        type: "authorized_user",
        client_id: "me.apps.googleusercontent.com",
        client_secret: "gone",
        refresh_token: "1//0gone",
      };
      writeFileSync(path, JSON.stringify(login), { mode: 0o600 });
      return world.run(["token", url, "--credentials", path]);
    },
  ],
];

holdRefusals(world, [...TOKENS, ...IMPERSONATIONS]);
