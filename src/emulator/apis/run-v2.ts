import { setTimeout as sleep } from "node:timers/promises";
import { policyRoutes } from "../iam/policy-routes.ts";
import { requirePrincipal, type ApiRequest } from "../server/api-request.ts";
import { ApiError, invalidArgument } from "../server/errors.ts";
import { authorize } from "../iam/policy.ts";
import { listPage } from "./pagination.ts";
import type { KnativeRevision, KnativeService } from "../run/knative.ts";
import { type Api, type Route, route } from "../server/router.ts";
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
import { toRevisionMessage } from "../run-v2/convert-revision.ts";
import { checkEtag, toKnativeService, toServiceMessage } from "../run-v2/convert-service.ts";
import { applyMask } from "../run-v2/update-mask.ts";
import { checkServiceMessage, withMessageFieldNames } from "../run-v2/message-violations.ts";
import type { Runtime } from "../runtime.ts";

interface RunOptions extends Pick<Runtime, "state" | "now"> {
  readonly deployments: Deployments;
}

/** Cloud Run's v2 API, for the same services as v1: https://cloud.google.com/run/docs/reference/rest/v2 */
export function createRunV2Api(options: RunOptions): Api {
  const services = createServiceRoutes(options);
  const revisions = createRevisionRoutes(options);
  const operations = createOperationRoutes(options);
  return {
    hosts: ["run.googleapis.com"],
    routes: {
      "POST /v2/projects/{project}/locations/{location}/services": services.create,
      "GET /v2/projects/{project}/locations/{location}/services": services.list,
      "GET /v2/projects/{project}/locations/{location}/services/{service}": services.get,
      "PATCH /v2/projects/{project}/locations/{location}/services/{service}": services.patch,
      "DELETE /v2/projects/{project}/locations/{location}/services/{service}": services.delete,
      "GET /v2/projects/{project}/locations/{location}/services/{service}:getIamPolicy": services.getIamPolicy,
      "POST /v2/projects/{project}/locations/{location}/services/{service}:setIamPolicy": services.setIamPolicy,
      "POST /v2/projects/{project}/locations/{location}/services/{service}:testIamPermissions": services.testIamPermissions,
      "GET /v2/projects/{project}/locations/{location}/services/{service}/revisions": revisions.list,
      "GET /v2/projects/{project}/locations/{location}/services/{service}/revisions/{revision}": revisions.get,
      "DELETE /v2/projects/{project}/locations/{location}/services/{service}/revisions/{revision}": revisions.delete,
      "GET /v2/projects/{project}/locations/{location}/operations": operations.list,
      "GET /v2/projects/{project}/locations/{location}/operations/{operation}": operations.get,
      "DELETE /v2/projects/{project}/locations/{location}/operations/{operation}": operations.delete,
      "POST /v2/projects/{project}/locations/{location}/operations/{operation}:wait": operations.wait,
    },
  };
}

function createServiceRoutes(options: RunOptions) {
  const { state, now, deployments } = options;
  const onService = (request: ApiRequest) => resourceName(placeOf(state, request), request.param("service"));
  const inProject = (request: ApiRequest) => `projects/${projectOf(state, request).projectId}`;

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

  const check = (request: ApiRequest) => void getService(state, placeOf(state, request), request.param("service"));
  return {
    create: route(
      "run.services.create",
      async (request) => {
        const message = parseServiceMessage(camelizeFields(await request.body.json()));
        return write(request, request.query.get("serviceId") ?? "", message, undefined);
      },
      inProject,
    ),
    patch: route(
      "run.services.update",
      async (request) => {
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
      },
      onService,
    ),
    list: route(
      "run.services.list",
      (request) => {
        const place = placeOf(state, request);
        const services = state.services.list(keyOf(place, "")).map((service) => toServiceMessage(place, service));
        return listPage("services", services, request.query);
      },
      inProject,
    ),
    get: route(
      "run.services.get",
      (request) => {
        const place = placeOf(state, request);
        return toServiceMessage(place, getService(state, place, request.param("service")));
      },
      onService,
    ),
    delete: route(
      "run.services.delete",
      (request) => {
        const place = placeOf(state, request);
        const service = getService(state, place, request.param("service"));
        checkEtag(service, request.query.get("etag"));
        const message = toServiceMessage(place, service);
        if (isTrue(request, "validateOnly")) return validationOperation(place, "Service", message);
        deployments.cancel(deleteService(state, place, service.metadata.name));
        return toOperationMessage(state, place, recordDeletion({ state, now }, place, "Service", message));
      },
      onService,
    ),
    ...policyRoutes(state, "run.services", onService, check),
  } satisfies Record<string, Route>;
}

function createRevisionRoutes({ state, now, deployments }: RunOptions) {
  const onService = (request: ApiRequest) => resourceName(placeOf(state, request), request.param("service"));
  const find = (request: ApiRequest, place: Place): KnativeRevision => {
    const name = request.param("revision");
    const revision = getRevision(state, place, name);
    if (serviceOf(revision) === request.param("service")) return revision;
    throw new ApiError("NOT_FOUND", `Resource '${name}' of kind 'REVISION' does not exist in service '${request.param("service")}'.`);
  };
  return {
    list: route(
      "run.revisions.list",
      (request) => {
        const [place, service] = [placeOf(state, request), request.param("service")];
        const revisions = service === "-" ? state.revisions.list(keyOf(place, "")) : revisionsOf(state, place, service).reverse();
        return listPage(
          "revisions",
          revisions.map((revision) => toRevisionMessage(place, revision)),
          request.query,
        );
      },
      (request) => `projects/${projectOf(state, request).projectId}`,
    ),
    get: route(
      "run.revisions.get",
      (request) => {
        const place = placeOf(state, request);
        return toRevisionMessage(place, find(request, place));
      },
      onService,
    ),
    delete: route(
      "run.revisions.delete",
      (request) => {
        const place = placeOf(state, request);
        const revision = find(request, place);
        checkEtag(revision, request.query.get("etag"));
        const message = toRevisionMessage(place, revision);
        const dryRun = isTrue(request, "validateOnly");
        deleteRevision(state, place, revision.metadata.name, dryRun);
        if (dryRun) return validationOperation(place, "Revision", message);
        deployments.cancel([keyOf(place, revision.metadata.name)]);
        return toOperationMessage(state, place, recordDeletion({ state, now }, place, "Revision", message));
      },
      onService,
    ),
  } satisfies Record<string, Route>;
}

/** The longest that a request waits for an operation, and the default. */
const MAX_WAIT_SECONDS = 30;

function createOperationRoutes({ state, deployments }: RunOptions) {
  const show = (request: ApiRequest) => {
    const place = placeOf(state, request);
    return toOperationMessage(state, place, getOperation(state, place, request.param("operation")));
  };
  return {
    list: route("run.operations.list", (request) => {
      const place = placeOf(state, request);
      const filter = request.query.get("filter") ?? "";
      const [, done] = /^done\s*[:=]\s*(true|false)$/.exec(filter.trim()) ?? [];
      if (filter !== "" && done === undefined) throw invalidArgument("Invalid filter: done:true and done:false are supported.");
      const operations = listOperations(state, place).map((operation) => toOperationMessage(state, place, operation));
      const fitting = operations.filter((operation) => done === undefined || (done === "true") === (operation["done"] === true));
      return listPage("operations", fitting, request.query);
    }),
    get: route("run.operations.get", show),
    delete: route("run.operations.delete", (request) => {
      const place = placeOf(state, request);
      state.operations.delete(keyOf(place, getOperation(state, place, request.param("operation")).id));
      return {};
    }),
    wait: route("run.operations.get", async (request) => {
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
  } satisfies Record<string, Route>;
}

function isTrue({ query }: ApiRequest, name: string): boolean {
  return query.get(name) === "true";
}
