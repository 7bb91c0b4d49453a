import { createServer, type RequestListener } from "node:http";
import { isSignedBy, parseJwt } from "../../src/emulator/oauth2/jwt.ts";
import { temporaryDirectory } from "./api-server.ts";
import { runCli } from "./command-line.ts";
import { ISSUER_PAIR, openIdentity, serveIdentity } from "./identity.ts";
import { writeKeyFile } from "./key-file.ts";
import { listen } from "./listen.ts";

/**
 * The command line, in this process, for a caller with a key file (CREDS) that the emulator's token endpoint takes; nothing else of
 * this machine's settings is seen, and there is no gcloud.
 */
export async function openCaller() {
  const identity = await openIdentity({ live: true });
  const { port } = await serveIdentity(identity);
  const home = temporaryDirectory();
  const keyFile = writeKeyFile();
  const environment = { CLOUDRUN_OAUTH_EMULATOR: `http://127.0.0.1:${port}`, CREDS: keyFile, HOME: home };
  return {
    identity,
    environment,
    keyFile,
    home,
    run: (argv: readonly string[], { env, ...world }: Parameters<typeof runCli>[1] = {}) =>
      runCli(argv, { cwd: home, ...world, env: { ...environment, ...env } }),
  };
}

/** A service on a free port; gives its URL. */
export async function serveService(listener: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listen(createServer(listener))}`;
}

/** The claims of a Bearer credential that the emulator signed; undefined for any other. */
export function verifiedClaims(authorization: string | undefined): Readonly<Record<string, unknown>> | undefined {
  const jwt = parseJwt(/^Bearer (.+)$/.exec(authorization ?? "")?.[1] ?? "");
  return jwt && isSignedBy(jwt, ISSUER_PAIR.publicKey) ? jwt.claims : undefined;
}
