import { formatTime } from "../../terminal/relative-time.ts";
import type { Service } from "../../cloud/service.ts";
import { servicePolicyIfAllowed } from "../../cloud/memberships.ts";
import { requireServiceName } from "../../cloud/names.ts";
import type { Context } from "../../context/context.ts";
import { printPlan } from "../../context/print-plan.ts";

/** Shows a service, or just its URL. */
export async function describe(context: Context, name: string | undefined, flags: { readonly url?: boolean }): Promise<void> {
  const { settings, terminal } = context;
  const serviceName = requireServiceName(settings, name);
  const cloud = await context.cloud();
  if (context.dryRun)
    return printPlan(terminal, [...cloud.plan("describe", serviceName), ...(flags.url ? [] : cloud.plan("policy", serviceName))]);

  if (flags.url) {
    const { url } = await terminal.task(`Looking up ${serviceName.service}`, () => cloud.describe(serviceName));
    return terminal.json ? terminal.printJson({ url }) : terminal.print(`${url}\n`);
  }
  const [service, policy] = await terminal.task(`Looking up ${serviceName.service}`, () =>
    Promise.all([cloud.describe(serviceName), servicePolicyIfAllowed(cloud, serviceName)]),
  );
  if (!policy) terminal.warn("You may not read who may call it: that needs run.services.getIamPolicy.");
  const members = policy
    ? policy.bindings.flatMap(({ role, members: roleMembers }) => roleMembers.map((member) => ({ member, role })))
    : null;
  if (terminal.json) return terminal.printJson({ ...service, members });
  terminal.printTable(toRows(service, members, Date.now()));
}

function toRows(service: Service, members: readonly { member: string; role: string }[] | null, now: number): string[][] {
  return [
    ["URL", service.url],
    ...service.urls.filter((url) => url !== service.url).map((url) => ["", url]),
    ["REVISION", service.revision ?? "none is ready"],
    ...(service.latest_created_revision === service.revision ? [] : [["LATEST", `${service.latest_created_revision}, not ready`]]),
    ["DEPLOYED", [formatTime(service.deployed, now), service.last_modifier && `by ${service.last_modifier}`].filter(Boolean).join(", ")],
    ["IMAGE", service.image ?? ""],
    ...(service.service_account === null ? [] : [["RUNS AS", service.service_account]]),
    ["INSTANCES", formatInstances(service)],
    ["RESOURCES", formatResources(service)],
    ["REQUESTS", formatRequests(service)],
    ...service.env.map(({ name, secret }) => ["ENV", secret ? `${name} (secret ${secret.name}, version ${secret.version})` : name]),
    ...Object.entries(service.labels).map(([name, value]) => ["LABEL", `${name}=${value}`]),
    ["INGRESS", service.ingress],
    ...(service.default_url_disabled ? [["DEFAULT URL", "disabled"]] : []),
    ...(service.invoker_iam_disabled ? [["INVOKER CHECK", "disabled: everybody may call it"]] : []),
    ...(service.iap_enabled ? [["IAP", "enabled"]] : []),
    ...service.custom_audiences.map((audience) => ["AUDIENCE", audience]),
    ...service.traffic.map(({ revision, percent, latest, tag, url }) => [
      "TRAFFIC",
      [`${percent}%`, revision, latest && "(the latest)", tag && `as ${tag}`, url].filter(Boolean).join(" "),
    ]),
    ...(members ?? []).map(({ member, role }) => ["MEMBER", `${member} ${role}`]),
    ...service.conditions.map(({ type, status, reason, message }) => [
      "CONDITION",
      [type, status, reason, message].filter(Boolean).join(" "),
    ]),
    ["CONSOLE", service.console_url],
  ];
}

function formatInstances({ min_instances, max_instances }: Service): string {
  return `${min_instances} to ${max_instances ?? "as many as Cloud Run sees fit"}`;
}

function formatResources({ cpu, memory, cpu_always_allocated }: Service): string {
  return [
    cpu && `${cpu.replace(/^\d+m$/, (text) => String(Number.parseInt(text, 10) / 1000))} CPU`,
    memory && `${memory} memory`,
    cpu_always_allocated ? "CPU always allocated" : "CPU while requests are served",
  ]
    .filter(Boolean)
    .join(", ");
}

function formatRequests({ port, concurrency, timeout }: Service): string {
  return [
    port !== null && `port ${port}`,
    concurrency !== null && `${concurrency} at once per instance`,
    timeout !== null && `${timeout} s at the longest`,
  ]
    .filter(Boolean)
    .join(", ");
}
