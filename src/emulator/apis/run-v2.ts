import { setTimeout as sleep } from "node:timers/promises";
import { policyRoutes } from "../iam/policy-routes.ts";
import { requirePrincipal, type ApiRequest } from "../server/api-request.ts";
import { ApiError, invalidArgument } from "../server/errors.ts";
import { authorize } from "../iam/policy.ts";
import { listPage } from "./pagination.ts";
import type { KnativeRevision, KnativeService } from "../run/knative.ts";
import { type Api, type Handler, type Route, route, routesUnder } from "../server/router.ts";
import type { Deployments } from "../run/deployments.ts";
import { keyOf, resourceName, type Place } from "../run/names.ts";
import { placeOf, projectOf } from "../run/request-place.ts";
import { deleteRevision, getRevision, revisionsOf, serviceOf } from "../run/revisions.ts";
import { createService, deleteService, getService, replaceService } from "../run/services.ts";
import {
  getOperation,
  listOperations,
  recordDeletion,
  toOperationMessage,
  validationOperation,
  startOperation,
} from "../run-v2/operations.ts";
import { camelizeFields, parseServiceMessage, type ServiceMessage } from "../run-v2/service-schema.ts";
import { checkEtag, toKnativeService, toRevisionMessage, toServiceMessage } from "../run-v2/convert-service.ts";
import { applyMask } from "../run-v2/update-mask.ts";
import { checkServiceMessage, withMessageFieldNames } from "../run-v2/message-violations.ts";
import type { Runtime } from "../runtime.ts";

type RunOptions = Pick<Runtime, "state" | "now"> & { readonly deployments: Deployments };

/** Cloud Run's v2 API, for the same services as v1: https://cloud.google.com/run/docs/reference/rest/v2 */
export function createRunV2Api(options: RunOptions): Api {
  return {
    hosts: ["run.googleapis.com"],
    routes: routesUnder("/v2/projects/{project}/locations/{location}", {
      ...serviceRoutes(options),
      ...revisionRoutes(options),
      ...operationRoutes(options),
    }),
  };
}

function serviceRoutes(options: RunOptions): Record<string, Route> {
  const { state, now, deployments } = options;
  const onService = (request: ApiRequest) => resourceName(placeOf(state, request), request.param("service"));
  const inProject = (request: ApiRequest) => `projects/${projectOf(state, request).projectId}`;
  const serviceRoute = (permission: string, handle: Handler) => route(permission, handle, onService);
  const projectRoute = (permission: string, handle: Handler) => route(permission, handle, inProject);

  const write = (request: ApiRequest, name: string, message: ServiceMessage, current: KnativeService | undefined): object => {
    const place = placeOf(state, request);
    const dryRun = isTrue(request, "validateOnly");
    checkServiceMessage(message, current ? "UpdateServiceRequest" : "CreateServiceRequest");
    const input = {
      place,
      name,
      body: toKnativeService(message, name, place, current),
      principal: requirePrincipal(request),
      dryRun,
      forceNewRevision: isTrue(request, "forceNewRevision"),
    };
    const service = withMessageFieldNames(() => (current ? replaceService(options, input) : createService(options, input)));
    if (dryRun) return validationOperation(place, "Service", toServiceMessage(place, service));
    const operation = startOperation(options, place, service);
    deployments.deploy(place, name);
    return toOperationMessage(state, place, operation);
  };

  const policies = policyRoutes(state, "run.services", onService, (request) => {
    getService(state, placeOf(state, request), request.param("service"));
  });
  return {
    "POST /services": projectRoute("run.services.create", async (request) => {
      const message = parseServiceMessage(camelizeFields(await request.body.json()));
      return write(request, request.query.get("serviceId") ?? "", message, undefined);
    }),
    "PATCH /services/{service}": serviceRoute("run.services.update", async (request) => {
      const body = camelizeFields(await request.body.json());
      const { etag } = parseServiceMessage(body);
      const [place, name] = [placeOf(state, request), request.param("service")];
      const existing = state.services.get(keyOf(place, name));
      if (!existing && isTrue(request, "allowMissing")) {
        authorize(state, requirePrincipal(request), "run.services.create", inProject(request));
        return write(request, name, parseServiceMessage(body), undefined);
      }
      const current = getService(state, place, name);
      checkEtag(current, etag);
      const merged = applyMask(toServiceMessage(place, current), body, request.query.get("updateMask"));
      return write(request, name, parseServiceMessage(merged), current);
    }),
    "GET /services": projectRoute("run.services.list", (request) => {
      const place = placeOf(state, request);
      const services = state.services.list(keyOf(place, "")).map((service) => toServiceMessage(place, service));
      return listPage(request.query, "services", services);
    }),
    "GET /services/{service}": serviceRoute("run.services.get", (request) => {
      const place = placeOf(state, request);
      return toServiceMessage(place, getService(state, place, request.param("service")));
    }),
    "DELETE /services/{service}": serviceRoute("run.services.delete", (request) => {
      const place = placeOf(state, request);
      const service = getService(state, place, request.param("service"));
      checkEtag(service, request.query.get("etag"));
      const message = toServiceMessage(place, service);
      if (isTrue(request, "validateOnly")) return validationOperation(place, "Service", message);
      deployments.cancel(deleteService(state, place, service.metadata.name));
      return toOperationMessage(state, place, recordDeletion({ state, now }, place, "Service", message));
    }),
    "GET /services/{service}:getIamPolicy": policies.getIamPolicy,
    "POST /services/{service}:setIamPolicy": policies.setIamPolicy,
    "POST /services/{service}:testIamPermissions": policies.testIamPermissions,
  };
}

function revisionRoutes({ state, now, deployments }: RunOptions): Record<string, Route> {
  const onService = (request: ApiRequest) => resourceName(placeOf(state, request), request.param("service"));
  const serviceRoute = (permission: string, handle: Handler) => route(permission, handle, onService);
  const find = (request: ApiRequest, place: Place): KnativeRevision => {
    const name = request.param("revision");
    const revision = getRevision(state, place, name);
    if (serviceOf(revision) === request.param("service")) return revision;
    throw new ApiError("NOT_FOUND", `Resource '${name}' of kind 'REVISION' does not exist in service '${request.param("service")}'.`);
  };
  return {
    "GET /services/{service}/revisions": route("run.revisions.list", (request) => {
      const [place, service] = [placeOf(state, request), request.param("service")];
      const revisions = service === "-" ? state.revisions.list(keyOf(place, "")) : revisionsOf(state, place, service).reverse();
      return listPage(
        request.query,
        "revisions",
        revisions.map((revision) => toRevisionMessage(place, revision)),
      );
    }),
    "GET /services/{service}/revisions/{revision}": serviceRoute("run.revisions.get", (request) => {
      const place = placeOf(state, request);
      return toRevisionMessage(place, find(request, place));
    }),
    "DELETE /services/{service}/revisions/{revision}": serviceRoute("run.revisions.delete", (request) => {
      const place = placeOf(state, request);
      const revision = find(request, place);
      checkEtag(revision, request.query.get("etag"));
      const message = toRevisionMessage(place, revision);
      const dryRun = isTrue(request, "validateOnly");
      deleteRevision(state, place, revision.metadata.name, dryRun);
      if (dryRun) return validationOperation(place, "Revision", message);
      deployments.cancel([keyOf(place, revision.metadata.name)]);
      return toOperationMessage(state, place, recordDeletion({ state, now }, place, "Revision", message));
    }),
  };
}

const MAX_WAIT_SECONDS = 30;

function operationRoutes({ state, deployments }: RunOptions): Record<string, Route> {
  const show = (request: ApiRequest) => {
    const place = placeOf(state, request);
    return toOperationMessage(state, place, getOperation(state, place, request.param("operation")));
  };
  return {
    "GET /operations": route("run.operations.list", (request) => {
      const place = placeOf(state, request);
      const filter = request.query.get("filter") ?? "";
      const [, done] = /^done\s*[:=]\s*(true|false)$/.exec(filter.trim()) ?? [];
      if (filter !== "" && done === undefined) throw invalidArgument("Invalid filter: done:true and done:false are supported.");
      const operations = listOperations(state, place).map((operation) => toOperationMessage(state, place, operation));
      const fitting = operations.filter((operation) => done === undefined || (done === "true") === (operation["done"] === true));
      return listPage(request.query, "operations", fitting);
    }),
    "GET /operations/{operation}": route("run.operations.get", show),
    "DELETE /operations/{operation}": route("run.operations.delete", (request) => {
      const place = placeOf(state, request);
      state.operations.delete(keyOf(place, getOperation(state, place, request.param("operation")).id));
      return {};
    }),
    "POST /operations/{operation}:wait": route("run.operations.get", async (request) => {
      const { timeout } = await request.body.json();
      const seconds = Math.min(Number.parseFloat(String(timeout ?? MAX_WAIT_SECONDS)), MAX_WAIT_SECONDS);
      if (Number.isNaN(seconds)) throw invalidArgument(`Invalid value at 'timeout': ${JSON.stringify(timeout)}.`);
      const place = placeOf(state, request);
      const { service } = getOperation(state, place, request.param("operation"));
      const timeoutAbort = new AbortController();
      const limit = sleep(seconds * 1000, undefined, { signal: timeoutAbort.signal }).catch(() => undefined);
      await Promise.race([service && deployments.waitForRollout(place, service), limit]);
      timeoutAbort.abort();
      return show(request);
    }),
  };
}

function isTrue({ query }: ApiRequest, name: string): boolean {
  return query.get(name) === "true";
}
