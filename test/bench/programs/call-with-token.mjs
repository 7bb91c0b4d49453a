// One request with a token that is there already, in the file that is named first; then the service's URL. EMULATOR is where it goes.
import { readFileSync } from "node:fs";
import { request } from "node:http";

const [file, url] = process.argv.slice(2);
const { hostname, port } = new URL(process.env.EMULATOR);
const headers = { Host: new URL(url).host, Authorization: `Bearer ${readFileSync(file, "utf8")}` };

request({ hostname, port, path: "/", headers }, (answer) => {
  if (answer.statusCode !== 200) process.exitCode = 1;
  answer.pipe(process.stdout);
}).end();
