import { audienceFor, isGcloudClientId, isServiceHost } from "../../auth/audience.ts";
import { readClaims } from "../../auth/jwt.ts";
import { explainRefusal } from "../../invoke/refusal/explain-refusal.ts";
import { responseAuthor } from "../../invoke/refusal/response-author.ts";
import { deployFailure } from "../../cloud/api/errors.ts";
import { CliError } from "../../errors/cli-error.ts";
import { fail, failFrom, ok, skip, warn, type Check } from "./check.ts";
import { ignoreMissing, requireFact } from "./require-fact.ts";

const REQUEST_TIMEOUT_MS = 8000;

/** Whether the service exists, is ready, and answers. */
export const serviceChecks: readonly Check[] = [
  {
    name: "service",
    async run(facts) {
      const name = await facts.serviceName();
      const { settings } = facts.context;
      try {
        const { url, revision, image, conditions, region } = await facts.service();
        const details = { ...name, url, revision, image };
        const remedy = `cloudrun-oauth describe ${name.service} --region ${region}`;
        const ready = conditions.find(({ type }) => type === "Ready");
        if (ready?.status === "False") {
          const { code, message, hint = remedy } = deployFailure(ready.message ?? ready.reason ?? "It does not say why.", name);
          return fail(code, `The service ${name.service} is not ready: ${message}`, {
            remedy: hint.replace(/\bSERVICE\b/, name.service),
            details,
          });
        }
        if (ready?.status !== "True") return warn(`The service ${name.service} is being deployed.`, { remedy, details });
        return ok(`${name.service} is in ${region}, at ${url}.`, { details });
      } catch (error) {
        if (!(error instanceof CliError) || error.code !== "NOT_FOUND") throw error;
        const message = `There is no service ${name.service} in ${name.region} of project ${name.project}`;
        const more = { remedy: `cloudrun-oauth deploy ${name.service} --region ${name.region}`, details: { ...name } };
        // If its URL is set, it has existed.
        return settings.get("url") ? fail("NOT_FOUND", `${message}.`, more) : warn(`${message} yet.`, more);
      }
    },
  },
  {
    name: "reachable",
    remedy: "Is it the service's URL? cloudrun-oauth describe --url",
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
      if (author === "iap") return ok("Identity-Aware Proxy answers before the service.", { details });
      if (author === "front end" && answer.status !== 404)
        return ok("Cloud Run answers, and refuses whoever has no credential.", { details });
      if (author === undefined)
        return warn(`The service answers ${answer.status} to whoever has no credential: it is public.`, {
          remedy: "cloudrun-oauth revoke --member allUsers",
          details,
        });
      const service = await facts.service().catch(ignoreMissing);
      const refusal = await explainRefusal(call, async () => (service ? { service } : {}));
      return refusal ? failFrom(refusal) : ok("Cloud Run answers.", { details });
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
        return ok("The token is for gcloud's client: Cloud Run takes it, of developers, for every service.", { details });
      if (accepted === undefined) return skip(`Which audiences the service at ${url.host} takes is not known.`, { details });
      // https://cloud.google.com/run/docs/authenticating/service-to-service: a trailing slash makes no difference.
      if (accepted.some((other) => other.replace(/\/$/, "") === audience.replace(/\/$/, "")))
        return ok(`${audience} is an audience of the service.`, { details });
      return fail("NOT_AUTHENTICATED", `A token for ${audience} is none for this service, which takes ${accepted.join(", ")}.`, {
        remedy: `cloudrun-oauth invoke --url ${url.href} --audience ${accepted[0] ?? "AUDIENCE"}${
          service
            ? `\ngcloud run services update ${service.service} --add-custom-audiences ${url.origin} --region ${service.region} --project ${service.project}`
            : ""
        }`,
        details,
      });
    },
  },
];
