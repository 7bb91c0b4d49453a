// What a person writes who has a key file, Node, and no package: an ID token, and the call. Arguments: the key file, the service's URL.
// EMULATOR is where both requests go.
import { createSign } from "node:crypto";
import { readFileSync } from "node:fs";
import { request } from "node:http";

const [file, url] = process.argv.slice(2);
const key = JSON.parse(readFileSync(file, "utf8"));
const emulator = new URL(process.env.EMULATOR);

function send(method, target, headers, body) {
  const { host, pathname } = new URL(target);
  return new Promise((resolve, reject) => {
    const { hostname, port } = emulator;
    const sent = request({ hostname, port, method, path: pathname, headers: { Host: host, ...headers } }, async (answer) => {
      const text = Buffer.concat(await answer.toArray()).toString();
      if (answer.statusCode === 200) resolve(text);
      else reject(new Error(`${target}: ${answer.statusCode} ${text}`));
    });
    sent.on("error", reject).end(body);
  });
}

const encode = (part) => Buffer.from(JSON.stringify(part)).toString("base64url");
const now = Math.floor(Date.now() / 1000);
const claims = { iss: key.client_email, aud: key.token_uri, iat: now, exp: now + 3600, target_audience: url };
const text = `${encode({ alg: "RS256", typ: "JWT", kid: key.private_key_id })}.${encode(claims)}`;
const assertion = `${text}.${createSign("RSA-SHA256").update(text).sign(key.private_key, "base64url")}`;
const form = `grant_type=${encodeURIComponent("urn:ietf:params:oauth:grant-type:jwt-bearer")}&assertion=${assertion}`;
const { id_token: token } = JSON.parse(
  await send("POST", key.token_uri, { "Content-Type": "application/x-www-form-urlencoded", "Content-Length": form.length }, form),
);
process.stdout.write(await send("GET", `${url}/`, { Authorization: `Bearer ${token}` }));
