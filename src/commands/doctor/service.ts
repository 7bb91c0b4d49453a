import { audienceFor, isGcloudClientId, isServiceHost } from "../../auth/audience.ts";
import { readClaims } from "../../auth/jwt.ts";
import { explainRefusal } from "../../invoke/refusal/explain-refusal.ts";
import { responseAuthor } from "../../invoke/refusal/response-author.ts";
import { deployFailure } from "../../cloud/api/errors.ts";
import { CliError } from "../../errors/cli-error.ts";
import { nextStep } from "../../errors/next-step.ts";
import { fail, gcloudStep, failFrom, ok, skip, warn, type Check } from "./check.ts";
import { ignoreMissing, requireFact } from "./require-fact.ts";

const REQUEST_TIMEOUT_MS = 8000;

/** Whether the service exists, is ready, and answers. */
export const serviceChecks: readonly Check[] = [
  {
    name: "service",
    async run(facts) {
      const name = await facts.serviceName();
      const { service, region } = name;
      try {
        const { url, revision, image, conditions } = await facts.service();
        const details = { ...name, url, revision, image };
        const ready = conditions.find(({ type }) => type === "Ready");
        if (ready?.status === "True") return ok(`${service} is ready in ${region}: ${url}`, { details });
        if (ready?.status !== "False")
          return warn(`${service} is being deployed.`, {
            next: [nextStep("To see its state", "describe", service, "--region", region)],
            details,
          });
        const { code, message } = deployFailure(ready.message ?? ready.reason ?? "No reason was reported.", name);
        const next = [nextStep("To see its logs", "logs", service, "--region", region)];
        return fail(code, `${service} isn't ready. ${message}`, { next, details });
      } catch (error) {
        if (!(error instanceof CliError) || error.code !== "NOT_FOUND") throw error;
        const message = `Service "${service}" not found in ${region}.`;
        const more = { next: [nextStep("To deploy it", "deploy", service, "--region", region)], details: { ...name } };
        // If its URL is set, it has existed.
        return facts.context.settings.get("url") ? fail("NOT_FOUND", message, more) : warn(message, more);
      }
    },
  },
  {
    name: "reachable",
    async run(facts) {
      const url = await facts.url();
      const { send } = facts.context;
      const answer = await send({
        method: "GET",
        url: url.href,
        headers: [["User-Agent", "cloudrun-oauth doctor"]],
        timeoutMs: REQUEST_TIMEOUT_MS,
        retry: { times: 1 },
      });
      const call = { url, status: answer.status, headers: answer.headers, body: await answer.text(), sent: [], now: Date.now() };
      const details = { url: url.href, status_code: answer.status };
      const author = responseAuthor(call);
      if (author === "iap") return ok("Identity-Aware Proxy protects the service.", { details });
      if (author === "front end" && answer.status !== 404)
        return ok("The service is reachable and rejects unauthenticated requests.", { details });
      const service = await facts.service().catch(ignoreMissing);
      if (author === undefined)
        return warn(`The service is public: it returned ${answer.status} to an unauthenticated request.`, {
          next: [nextStep("To make it private", "revoke", ...(service ? [service.service] : []), "--member", "allUsers")],
          details,
        });
      const refusal = await explainRefusal(call, async () => (service ? { service } : {}));
      return refusal ? failFrom(refusal) : ok("Cloud Run responded.", { details });
    },
  },
  {
    name: "audience",
    async run(facts) {
      const url = await facts.url();
      await requireFact("network", facts.googleProbe());
      const audience = readClaims(await requireFact("token", facts.idToken()))?.aud ?? "";
      const service = await facts.service().catch(ignoreMissing);
      const accepted = service
        ? [...service.urls, ...service.custom_audiences]
        : isServiceHost(url.hostname)
          ? [audienceFor(url)]
          : undefined;
      const details = { audience, accepted: accepted ?? null };
      if (isGcloudClientId(audience))
        return ok("The token is for gcloud's client ID, which Cloud Run accepts from users for every service.", { details });
      if (accepted === undefined) return skip(`The audiences that ${url.host} accepts are unknown.`, { details });
      // https://cloud.google.com/run/docs/authenticating/service-to-service: a trailing slash makes no difference.
      if (accepted.some((other) => other.replace(/\/$/, "") === audience.replace(/\/$/, "")))
        return ok(`The token's audience matches the service: ${audience}`, { details });
      const update = service && `run services update ${service.service} --add-custom-audiences ${url.origin}`;
      return fail(
        "NOT_AUTHENTICATED",
        `Wrong audience: the ID token is for ${audience}, but the service expects ${accepted.join(" or ")}.`,
        {
          next: [
            nextStep("To use another audience", "invoke", "--url", url.href, "--audience", accepted[0] ?? "AUDIENCE"),
            ...(service ? [gcloudStep("To accept this one", `${update} --region ${service.region} --project ${service.project}`)] : []),
          ],
          details,
        },
      );
    },
  },
];
