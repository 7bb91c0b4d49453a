import { afterAll, beforeAll, expect } from "vitest";
import { testBothBackEnds } from "../../helpers/both-back-ends.ts";
import { folder } from "../../helpers/command-line.ts";
import { HELLO, tinyService } from "../../helpers/emulator.ts";
import { startOidcIssuer, type OidcIssuer } from "../../helpers/oidc-issuer.ts";
import { parsePipeline, type GitHubWorkflow } from "../../helpers/pipelines.ts";

let issuer: OidcIssuer;
beforeAll(async () => {
  issuer = await startOidcIssuer(afterAll);
});

testBothBackEnds(({ via, testBackEnd, json, run, expectSame, emulator }) => {
  testBackEnd(
    "everything that a pipeline needs is created, accepts only its own branch, and is fixed if another client has changed it",
    async () => {
      const { url } = await emulator().deploy("hello", tinyService(HELLO));
      const flags = ["--repo", "me/hello", "--issuer", issuer.uri, "--project", emulator().project, "--service", "hello"];
      const { setup, pipeline, ...made } = await json(["ci", "github", "--apply", "--print", ...flags]);
      expect(setup).toHaveLength(via === "gcloud" ? 11 : 16);
      expectSame("made", made);
      expect(made["applied"].map(({ outcome }: { outcome: string }) => outcome)).toEqual([
        "enabled",
        ...Array.from({ length: 5 }, () => "made"),
        ...Array.from({ length: 5 }, () => "granted"),
      ]);

      const { env } = parsePipeline<GitHubWorkflow>(pipeline);
      const call = (claims: object) => {
        const aud = `https://iam.googleapis.com/${env["CLOUDRUN_OAUTH_WORKLOAD_IDENTITY_PROVIDER"]}`;
        const token = issuer.token({ aud, sub: "repo:me/hello", repository: "me/hello", ref: "refs/heads/main", ...claims });
        const none = { CREDS: "", GOOGLE_APPLICATION_CREDENTIALS: "" };
        return run(["invoke", "--no-cache", "--url", url], { cwd: folder(), env: { ...env, ...none, GITLAB_OIDC_TOKEN: token } });
      };
      expect(await call({})).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('"status_code": 200') });
      for (const claims of [{ repository: "mallory/hello" }, { ref: "refs/heads/mine" }])
        expect(await call(claims)).toMatchObject({ exitCode: 3, stderr: expect.stringContaining("rejected by the attribute condition") });

      const { project, request } = emulator();
      const [, pool = "", provider = ""] = /workloadIdentityPools\/([^/]+)\/providers\/([^/]+)$/.exec(made["provider"]) ?? [];
      const path = `/v1/projects/${project}/locations/global/workloadIdentityPools/${pool}/providers/${provider}`;
      const body = { attributeCondition: "assertion.sub != ''" };
      expect((await request("PATCH", "iam.googleapis.com", `${path}?updateMask=attributeCondition`, { body })).status).toBe(200);
      const { applied } = await json(["ci", "github", "--apply", "--print", ...flags]);
      expect(applied.map(({ outcome }: { outcome: string }) => outcome)).toContain("changed");
      expect(await call({ repository: "mallory/hello" })).toMatchObject({ exitCode: 3 });
      expect(await call({})).toMatchObject({ exitCode: 0 });
    },
  );
});
