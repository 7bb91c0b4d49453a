import { execa } from "execa";
import { afterAll, expect } from "vitest";
import { signIn } from "../../src/cloud/gcloud/sign-in.ts";
import { startEmulator, tinyService } from "../helpers/emulator.ts";
import { testNeeding } from "../helpers/requirements.ts";

const emulator = await startEmulator(afterAll);

const SHOW = `require("node:http").createServer((request, response) => response.end(process.env.API_KEY)).listen(process.env.PORT, "127.0.0.1");`;

testNeeding(
  "gcloud",
  "gcloud creates a secret, and a service gets it through --set-secrets if its account can read it",
  async ([gcloud = ""]) => {
    const { project, request } = emulator;
    const env = { ...process.env, ...emulator.status().environment } as NodeJS.ProcessEnv;
    for (const [name, value] of Object.entries(env)) if (value === null) delete env[name];
    await signIn(env);
    const run = async (args: readonly string[], input = "") =>
      (await execa(gcloud, args, { env, extendEnv: false, input, stripFinalNewline: false })).stdout;
    await run(["secrets", "create", "api-key", "--data-file=-", "--replication-policy=automatic"], "old");
    await run(["secrets", "versions", "add", "api-key", "--data-file=-"], "s3cret");
    expect(await run(["secrets", "versions", "access", "latest", "--secret=api-key"])).toBe("s3cret");
    expect(await run(["secrets", "versions", "access", "1", "--secret=api-key"])).toBe("old");
    expect(await run(["secrets", "list", "--format=value(name.basename())"])).toBe("api-key\n");

    await emulator.build(`gcr.io/${project}/show`, tinyService(SHOW));
    const deploy = [
      "run",
      "deploy",
      "show",
      `--image=gcr.io/${project}/show`,
      "--allow-unauthenticated",
      "--set-secrets=API_KEY=api-key:latest",
    ];
    await expect(run(deploy)).rejects.toThrow(
      /Permission denied on secret: projects\/\d+\/secrets\/api-key\/versions\/latest for Revision service account/,
    );

    const number = (await run(["projects", "describe", project, "--format=value(projectNumber)"])).trim();
    const member = `serviceAccount:${number}-compute@developer.gserviceaccount.com`;
    await run(["secrets", "add-iam-policy-binding", "api-key", `--member=${member}`, "--role=roles/secretmanager.secretAccessor"]);
    await run(deploy);
    const { host } = new URL((await run(["run", "services", "describe", "show", "--format=value(status.url)"])).trim());
    expect((await request("GET", host, "/", { token: "" })).text).toBe("s3cret");

    await run(["secrets", "versions", "disable", "2", "--secret=api-key"]);
    await expect(run(["secrets", "versions", "access", "latest", "--secret=api-key"])).rejects.toThrow(/is in DISABLED state/);
    await run(["secrets", "versions", "destroy", "2", "--secret=api-key", "--quiet"]);
    await run(["secrets", "delete", "api-key", "--quiet"]);
    expect(await run(["secrets", "list", "--format=value(name)"])).toBe("");
  },
  120_000,
);
