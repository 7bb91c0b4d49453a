// The same as call.mjs, by the HTTPS proxy that HTTPS_PROXY names, as in a company's network. NODE_EXTRA_CA_CERTS says whom to trust.
import { createSign } from "node:crypto";
import { readFileSync } from "node:fs";
import { request as connect } from "node:http";
import { request } from "node:https";

const [file, url] = process.argv.slice(2);
const key = JSON.parse(readFileSync(file, "utf8"));
const proxy = new URL(process.env.HTTPS_PROXY);

function openTunnel(host) {
  return new Promise((resolve, reject) => {
    const { hostname, port } = proxy;
    connect({ hostname, port, method: "CONNECT", path: `${host}:443` })
      .on("connect", (_, socket) => resolve(socket))
      .on("error", reject)
      .end();
  });
}

async function send(method, target, headers, body) {
  const { host, pathname } = new URL(target);
  const socket = await openTunnel(host);
  return new Promise((resolve, reject) => {
    const sent = request({ host, method, path: pathname, headers, socket, agent: false }, async (answer) => {
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
