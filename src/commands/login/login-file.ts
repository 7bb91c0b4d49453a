import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Environment } from "../../context/context.ts";
import { gcloudDirectory } from "../../settings/gcloud-configuration.ts";
import { writePrivateFile } from "../../settings/private-files.ts";

/** A person's login, as `gcloud auth application-default login` writes it: https://google.aip.dev/auth/4113 */
export interface LoginFile {
  readonly type: "authorized_user";
  readonly account: string;
  readonly client_id: string;
  readonly client_secret: string;
  readonly refresh_token: string;
  readonly universe_domain: "googleapis.com";
}

/** The file of the Application Default Credentials. */
export function openLoginFile(env: Environment) {
  const path = join(gcloudDirectory(env), "application_default_credentials.json");
  return {
    path,
    exists: () => existsSync(path),
    /** Throws as the file system does. */
    write(login: LoginFile): void {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      writePrivateFile(path, `${JSON.stringify(login, null, 2)}\n`);
    },
    /** The refresh token; undefined if the file holds something else. */
    readRefreshToken(): string | undefined {
      try {
        const { type, refresh_token: token } = JSON.parse(readFileSync(path, "utf8")) as Partial<LoginFile>;
        return type === "authorized_user" && typeof token === "string" ? token : undefined;
      } catch {
        return undefined;
      }
    },
    remove: () => rmSync(path, { force: true }),
  };
}
