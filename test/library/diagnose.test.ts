import { expect, test } from "vitest";
import { forbidden, notFound, unauthorized } from "../../src/emulator/front-door/error-pages.ts";
import { diagnose } from "../../src/library/diagnose.ts";
import { serveService } from "../helpers/caller.ts";
import { failure } from "../helpers/failure.ts";
import { forge } from "../helpers/identity.ts";
import { EMAIL } from "../helpers/key-file.ts";

const URL_CALLED = "https://hello-123456789012.us-central1.run.app/orders";
const now = Math.floor(Date.now() / 1000);
const token = forge({ alg: "RS256" }, { aud: new URL(URL_CALLED).origin, email: EMAIL, iat: now, exp: now + 3600 });

function answered(page: ReturnType<typeof notFound>): Response {
  return new Response(String(page.body), { status: page.status, headers: page.headers });
}

test("a refusal of the front end is explained by its page and the token, and its body stays readable", async () => {
  const response = answered(forbidden("/orders"));
  expect(await diagnose(response, { url: URL_CALLED, token })).toMatchObject({
    code: "NOT_AUTHORIZED",
    message: `${EMAIL} doesn't have permission to invoke "hello" (roles/run.invoker).`,
    next: [{ text: "To grant access", command: ["grant", "hello", "--region", "us-central1", "--member", `serviceAccount:${EMAIL}`] }],
  });
  expect(await response.text()).toBe(String(forbidden("/orders").body));
  expect(await diagnose(answered(forbidden("/orders")), { url: URL_CALLED })).toMatchObject({ code: "NOT_AUTHENTICATED" });
  expect(await diagnose(answered(notFound()), { url: URL_CALLED, token })).toMatchObject({ code: "NOT_REACHABLE" });
});

test("the facts of another HTTP client suffice", async () => {
  const { status, headers, body } = unauthorized("/orders");
  const facts = { url: URL_CALLED, status, headers: { "Content-Type": headers["content-type"] ?? "" }, body: String(body) };
  const expired = forge({ alg: "RS256" }, { exp: now - 60 });
  expect(await diagnose(facts, { token: expired })).toMatchObject({
    code: "NOT_AUTHENTICATED",
    message: expect.stringMatching(/^The ID token expired at/),
  });
});

test.for([
  ["a good answer", 200],
  ["a refusal of the service's own", 403],
] as const)("%s isn't a refusal", async ([, status]) => {
  expect(
    await diagnose(new Response("{}", { status, headers: { "content-type": "application/json" } }), { url: URL_CALLED, token }),
  ).toBeUndefined();
});

test("the platform's fetch knows the URL, and an endless page isn't read to its end", async () => {
  const url = await serveService((_, response) => {
    response.writeHead(404, { "content-type": "text/html" });
    const write = () => {
      while (!response.destroyed && response.write("x".repeat(65_536)));
    };
    response.on("drain", write).on("error", () => {});
    write();
  });
  const response = await fetch(url);
  expect(await diagnose(response)).toBeUndefined();
  await response.body?.cancel();
});

test("missing facts are reported", async () => {
  const response = answered(forbidden("/"));
  expect(await failure(diagnose(response))).toMatchObject({ code: "USAGE", message: "Missing option: url." });
  await response.text();
  expect(await failure(diagnose(response, { url: URL_CALLED }))).toMatchObject({
    code: "USAGE",
    message: "The response body has already been read.",
  });
});
