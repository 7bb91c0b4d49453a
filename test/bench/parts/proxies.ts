import { createServer } from "node:net";
import { join } from "node:path";
import { once } from "node:events";
import { makeFolder, type Ground } from "../ground.ts";
import { findProgram } from "../processes.ts";
import type { BenchEmulator } from "./emulator.ts";
import type { Origin } from "./origin.ts";

/** A proxy before the origin. */
export interface Door {
  readonly port: number;
  readonly url: string;
  readonly pid: number;
}

/** What a fixed header carries that is no token: as long as one, and of no use to anybody. */
const AS_LONG_AS_A_TOKEN = `eyJhbGciOiJub25lIn0.${"x".repeat(700)}.`;

export async function startOwnProxy({ processes, own }: Ground, origin: Origin, emulator: BenchEmulator): Promise<Door> {
  const argv = ["proxy", "--url", origin.url, "--credentials", emulator.credentials, "--port", "0", "--quiet"];
  const { pid, said } = await processes.start([...own, ...argv], { env: emulator.plain, ready: /:\d+\n/ });
  const url = said.trim();
  return { pid, url, port: Number(new URL(url).port) };
}

/** One worker, as Node has one thread; no log, as `--quiet` has none; bodies that are passed on as they come. */
export async function startNginx(ground: Ground, origin: Origin): Promise<Door> {
  const program = findProgram("nginx");
  const port = await findPort();
  const folder = makeFolder(ground);
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `  ${name}_temp_path ${join(folder, name)};`);
  const configuration = `
daemon off;
master_process off;
pid ${join(folder, "pid")};
error_log stderr error;
events { worker_connections 1024; }
http {
  access_log off;
  client_max_body_size 0;
  keepalive_requests 1000000;
${paths.join("\n")}
  upstream origin { server 127.0.0.1:${origin.port}; keepalive 64; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_request_buffering off;
      proxy_max_temp_file_size 0;
      proxy_set_header Connection "";
      proxy_set_header Authorization "Bearer ${AS_LONG_AS_A_TOKEN}";
    }
  }
}
`;
  const file = join(makeFolder(ground, { "nginx.conf": configuration }), "nginx.conf");
  return startListening(ground, [program, "-p", folder, "-e", "stderr", "-c", file], port);
}

/** What `gcloud run services proxy` starts; found on PATH, or where CLOUD_RUN_PROXY says. */
export async function startGoProxy(ground: Ground, { url }: Origin): Promise<Door> {
  const program = findProgram("cloud-run-proxy", "CLOUD_RUN_PROXY");
  const port = await findPort();
  const argv = ["-host", url, "-bind", `127.0.0.1:${port}`, "-token", AS_LONG_AS_A_TOKEN];
  return startListening(ground, [program, ...argv], port);
}

/** For programs that do not say when they listen, or where. */
async function startListening({ processes, env }: Ground, argv: readonly string[], port: number): Promise<Door> {
  const pid = await processes.startListening(argv, env, port);
  return { pid, port, url: `http://127.0.0.1:${port}` };
}

async function findPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
