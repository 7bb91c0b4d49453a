import { setTimeout as sleep } from "node:timers/promises";
import { param, principalOf, type Call } from "../server/call.ts";
import { ApiError } from "../server/errors.ts";
import { authorize } from "../iam/policy.ts";
import { page } from "./pagination.ts";
import type { KnativeRevision, KnativeService } from "../run/knative.ts";
import type { Api, Route } from "../server/router.ts";
import type { Deployments } from "../run/deployments.ts";
import { keyOf, resourceName, type Place } from "../run/naming.ts";
import { placeOf, projectOf } from "../run/place.ts";
import { createPolicyRoutes } from "../run/policy-routes.ts";
import { deleteRevision, getRevision, revisionsOf, serviceOf } from "../run/revisions.ts";
import { createService, deleteService, getService, replaceService } from "../run/services.ts";
import { getOperation, listOperations, recordDeletion, showOperation, showValidation, startOperation } from "../run-v2/operations.ts";
import { camelizeFields, parseServiceMessage, type ServiceMessage } from "../run-v2/request.ts";
import { showRevision } from "../run-v2/revision.ts";
import { checkEtag, readService, showService } from "../run-v2/service.ts";
import { applyMask } from "../run-v2/update-mask.ts";
import { checkServiceMessage, inMessageWords } from "../run-v2/violations.ts";
import type { Runtime } from "../runtime.ts";

interface RunOptions extends Pick<Runtime, "state" | "now"> {
  readonly deployments: Deployments;
}

/** Cloud Run's second control plane, over the services of the first: https://cloud.google.com/run/docs/reference/rest/v2 */
export function createRunV2Api(options: RunOptions): Api {
  const services = createServiceRoutes(options);
  const policies = createPolicyRoutes(options.state);
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
      "GET /v2/projects/{project}/locations/{location}/services/{service}:getIamPolicy": policies.getIamPolicy,
      "POST /v2/projects/{project}/locations/{location}/services/{service}:setIamPolicy": policies.setIamPolicy,
      "POST /v2/projects/{project}/locations/{location}/services/{service}:testIamPermissions": policies.testIamPermissions,
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
  const on = (call: Call) => resourceName(placeOf(state, call), param(call, "service"));
  const inProject = (call: Call) => `projects/${projectOf(state, call).projectId}`;

  const write = (call: Call, name: string, message: ServiceMessage, current: KnativeService | undefined): object => {
    const place = placeOf(state, call);
    const dryRun = isTrue(call, "validateOnly");
    checkServiceMessage(message, current ? "UpdateServiceRequest" : "CreateServiceRequest");
    const request = {
      place,
      name,
      body: readService(message, name, place, current),
      principal: principalOf(call),
      dryRun,
      forceNewRevision: isTrue(call, "forceNewRevision"),
    };
    const service = inMessageWords(() => (current ? replaceService(options, request) : createService(options, request)));
    if (dryRun) return showValidation(place, "Service", showService(place, service));
    const operation = startOperation(options, place, service);
    deployments.deploy(place, name);
    return showOperation(state, place, operation);
  };

  return {
    create: {
      permission: "run.services.create",
      resource: inProject,
      handle: async (call) => {
        const message = parseServiceMessage(camelizeFields(await call.body.json()));
        return write(call, call.url.searchParams.get("serviceId") ?? "", message, undefined);
      },
    },
    patch: {
      permission: "run.services.update",
      resource: on,
      handle: async (call) => {
        const body = camelizeFields(await call.body.json());
        const { etag } = parseServiceMessage(body);
        const [place, name] = [placeOf(state, call), param(call, "service")];
        const known = state.services.get(keyOf(place, name));
        if (!known && isTrue(call, "allowMissing")) {
          authorize(state, principalOf(call), "run.services.create", inProject(call));
          return write(call, name, parseServiceMessage(body), undefined);
        }
        const current = getService(state, place, name);
        checkEtag(current, etag);
        const merged = applyMask(showService(place, current), body, call.url.searchParams.get("updateMask"));
        return write(call, name, parseServiceMessage(merged), current);
      },
    },
    list: {
      permission: "run.services.list",
      resource: inProject,
      handle: (call) => {
        const place = placeOf(state, call);
        const services = state.services.list(keyOf(place, "")).map((service) => showService(place, service));
        return page("services", services, call.url.searchParams);
      },
    },
    get: {
      permission: "run.services.get",
      resource: on,
      handle: (call) => {
        const place = placeOf(state, call);
        return showService(place, getService(state, place, param(call, "service")));
      },
    },
    delete: {
      permission: "run.services.delete",
      resource: on,
      handle: (call) => {
        const place = placeOf(state, call);
        const service = getService(state, place, param(call, "service"));
        checkEtag(service, call.url.searchParams.get("etag"));
        const message = showService(place, service);
        if (isTrue(call, "validateOnly")) return showValidation(place, "Service", message);
        deployments.abandon(deleteService(state, place, service.metadata.name));
        return showOperation(state, place, recordDeletion({ state, now }, place, "Service", message));
      },
    },
  } satisfies Record<string, Route>;
}

function createRevisionRoutes({ state, now, deployments }: RunOptions) {
  const on = (call: Call) => resourceName(placeOf(state, call), param(call, "service"));
  const find = (call: Call, place: Place): KnativeRevision => {
    const name = param(call, "revision");
    const revision = getRevision(state, place, name);
    if (serviceOf(revision) === param(call, "service")) return revision;
    throw new ApiError("NOT_FOUND", `Resource '${name}' of kind 'REVISION' does not exist in service '${param(call, "service")}'.`);
  };
  return {
    list: {
      permission: "run.revisions.list",
      resource: (call) => `projects/${projectOf(state, call).projectId}`,
      handle: (call) => {
        const [place, service] = [placeOf(state, call), param(call, "service")];
        const revisions = service === "-" ? state.revisions.list(keyOf(place, "")) : revisionsOf(state, place, service).reverse();
        return page(
          "revisions",
          revisions.map((revision) => showRevision(place, revision)),
          call.url.searchParams,
        );
      },
    },
    get: {
      permission: "run.revisions.get",
      resource: on,
      handle: (call) => {
        const place = placeOf(state, call);
        return showRevision(place, find(call, place));
      },
    },
    delete: {
      permission: "run.revisions.delete",
      resource: on,
      handle: (call) => {
        const place = placeOf(state, call);
        const revision = find(call, place);
        checkEtag(revision, call.url.searchParams.get("etag"));
        const message = showRevision(place, revision);
        const dryRun = isTrue(call, "validateOnly");
        deleteRevision(state, place, revision.metadata.name, dryRun);
        if (dryRun) return showValidation(place, "Revision", message);
        deployments.abandon([keyOf(place, revision.metadata.name)]);
        return showOperation(state, place, recordDeletion({ state, now }, place, "Revision", message));
      },
    },
  } satisfies Record<string, Route>;
}

/** As long as a client is kept waiting that does not say how long, in seconds. */
const LONGEST_WAIT = 30;

function createOperationRoutes({ state, deployments }: RunOptions) {
  const show = (call: Call) => {
    const place = placeOf(state, call);
    return showOperation(state, place, getOperation(state, place, param(call, "operation")));
  };
  return {
    list: {
      permission: "run.operations.list",
      handle: (call) => {
        const place = placeOf(state, call);
        const filter = call.url.searchParams.get("filter") ?? "";
        const [, done] = /^done\s*[:=]\s*(true|false)$/.exec(filter.trim()) ?? [];
        if (filter !== "" && done === undefined)
          throw new ApiError("INVALID_ARGUMENT", "Invalid filter: done:true and done:false are supported.");
        const operations = listOperations(state, place).map((operation) => showOperation(state, place, operation));
        const fitting = operations.filter((operation) => done === undefined || (done === "true") === (operation["done"] === true));
        return page("operations", fitting, call.url.searchParams);
      },
    },
    get: { permission: "run.operations.get", handle: show },
    delete: {
      permission: "run.operations.delete",
      handle: (call) => {
        const place = placeOf(state, call);
        state.operations.delete(keyOf(place, getOperation(state, place, param(call, "operation")).id));
        return {};
      },
    },
    wait: {
      permission: "run.operations.get",
      handle: async (call) => {
        const { timeout } = await call.body.json();
        const seconds = Math.min(Number.parseFloat(String(timeout ?? LONGEST_WAIT)), LONGEST_WAIT);
        if (Number.isNaN(seconds)) throw new ApiError("INVALID_ARGUMENT", `Invalid value at 'timeout': ${JSON.stringify(timeout)}.`);
        const place = placeOf(state, call);
        const { service } = getOperation(state, place, param(call, "operation"));
        const over = new AbortController();
        const limit = sleep(seconds * 1000, undefined, { signal: over.signal }).catch(() => undefined);
        await Promise.race([service && deployments.settled(place, service), limit]);
        over.abort();
        return show(call);
      },
    },
  } satisfies Record<string, Route>;
}

function isTrue({ url }: Call, name: string): boolean {
  return url.searchParams.get(name) === "true";
}
