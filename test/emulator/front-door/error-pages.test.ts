import { expect, test } from "vitest";
import { forbidden, notFound, unauthorized, unavailable } from "../../../src/emulator/front-door/error-pages.ts";

const page = (title: string, text: string) => `<html><head>
<meta http-equiv="content-type" content="text/html;charset=utf-8">
<title>${title}</title>
</head>
<body text=#000000 bgcolor=#ffffff>
<h1>Error: ${title.slice(4)}</h1>
<h2>${text}</h2>
<h2></h2>
</body></html>
`;

test("a request without a credential gets Google's 403 page, byte for byte", () => {
  const { status, headers, body } = forbidden("/endpoint/xxxxx?a=b");
  expect({ status, headers }).toEqual({ status: 403, headers: { "content-type": "text/html; charset=UTF-8" } });
  const text = "Your client does not have permission to get URL <code>/endpoint/xxxxx</code> from this server.";
  expect(body).toBe(page("403 Forbidden", text));
});

test("a request with an invalid credential gets Google's 401 page, byte for byte", () => {
  const { status, headers, body } = unauthorized("/endpoint/xxxxx");
  expect(status).toBe(401);
  expect(headers).toEqual({
    "content-type": "text/html; charset=UTF-8",
    "www-authenticate": 'Bearer error="invalid_token" error_description="The access token could not be verified"',
  });
  expect(body).toBe(page("401 Unauthorized", "Your client does not have permission to the requested URL <code>/endpoint/xxxxx</code>."));
});

test("a path can't inject HTML into the page", () => {
  const { body } = forbidden(`/<script>alert("'&")</script>`);
  expect(body).toContain("<code>/&#60;script&#62;alert(&#34;&#39;&#38;&#34;)&#60;/script&#62;</code>");
});

test.for([
  [notFound(), 404, "The requested URL was not found on this server."],
  [unavailable(429), 429, "The request was aborted because there was no available instance."],
  [unavailable(500), 500, "The request failed because the instance could not start successfully."],
  [unavailable(503), 503, "The request failed because either the HTTP response was malformed or connection to the instance had an error."],
  [unavailable(504), 504, "The request has been terminated because it has reached the maximum request timeout."],
  [unavailable(500, "a < b"), 500, "a &#60; b"],
] as const)("the page gives the reason if no instance responded: %#", ([reply, status, text]) => {
  expect(reply.status).toBe(status);
  expect(reply.body).toContain(`<h2>${text}</h2>`);
});
