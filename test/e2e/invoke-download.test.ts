import { once } from "node:events";
import { expect, test } from "vitest";
import { newcomer } from "../helpers/bin.ts";
import { openCaller, serveService } from "../helpers/caller.ts";
import { look, type Held } from "../helpers/process-figures.ts";

const CHUNK = Buffer.alloc(1024 * 1024, "x");
/** In MiB: what is downloaded, and how much more memory that may take. */
const BODY = 1024;
const MOST = 150;

test.skipIf(process.platform !== "linux")("1 GiB is downloaded in little memory", { timeout: 300_000 }, async () => {
  const { environment } = await openCaller();
  const seen: Held[] = [];
  const url = await serveService(async (_, response) => {
    seen.push(look(invoke.pid ?? 0));
    response.writeHead(200, { "Content-Length": BODY * CHUNK.length });
    for (let left = BODY; left > 1; left -= 1) if (!response.write(CHUNK)) await once(response, "drain");
    seen.push(look(invoke.pid ?? 0));
    response.end(CHUNK);
  });
  const env = { CLOUDRUN_OAUTH_EMULATOR: environment.CLOUDRUN_OAUTH_EMULATOR, CREDS: environment.CREDS };
  const invoke = newcomer().start(["invoke", "--url", url, "-o", "/dev/null"], { env });
  const { exitCode, stdout } = await invoke;
  expect({ exitCode, ...JSON.parse(stdout) }).toMatchObject({ exitCode: 0, status_code: 200, bytes: BODY * CHUNK.length });
  const [before, after] = seen as [Held, Held];
  expect(after.peak - before.memory).toBeLessThan(MOST);
});
