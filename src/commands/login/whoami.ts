import { findCredentials } from "../../auth/find-credentials.ts";
import { principalOfToken } from "../../auth/member.ts";
import type { Context } from "../../context/context.ts";

/** Shows whose credentials requests are sent with. Throws as `findCredentials` does, and as the credentials do if only a token tells the account. */
export async function whoami(context: Context): Promise<void> {
  const { terminal, settings } = context;
  const setting = settings.get("credentials");
  const credentials = await findCredentials(setting, context);
  const { principal = await readPrincipal() } = credentials;
  async function readPrincipal(): Promise<string | undefined> {
    const audience = credentials.audience ?? "https://example.com";
    return principalOfToken(await terminal.wait("Checking the account", () => credentials.fetchIdToken(audience)));
  }
  const project = settings.get("project")?.value;
  const document = {
    principal: principal ?? null,
    credentials: credentials.description,
    file: credentials.file ?? null,
    source: setting?.source ?? null,
    project: project ?? null,
  };
  if (terminal.json) return terminal.printJson(document);
  terminal.printTable([
    ["PRINCIPAL", principal ?? "unknown"],
    ["CREDENTIALS", credentials.description],
    ...(credentials.file === undefined ? [] : [["FILE", credentials.file]]),
    ...(setting ? [["SOURCE", setting.source]] : []),
    ["PROJECT", project ?? "not set"],
  ]);
}
