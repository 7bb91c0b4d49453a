import { servicePolicyIfAllowed } from "../../cloud/memberships.ts";
import { requireServiceName } from "../../cloud/names.ts";
import type { Service } from "../../cloud/service.ts";
import type { Context } from "../../context/context.ts";
import { printPlan } from "../../context/print-plan.ts";
import { withTimes } from "../../terminal/relative-time.ts";

export async function describe(context: Context, name: string | undefined, flags: { readonly url?: boolean }): Promise<void> {
  const { settings, terminal } = context;
  const serviceName = requireServiceName(settings, name);
  const cloud = await context.cloud();
  if (context.dryRun)
    return printPlan(terminal, [...cloud.plan("describe", serviceName), ...(flags.url ? [] : cloud.plan("policy", serviceName))]);

  const checking = `Checking ${serviceName.service}`;
  if (flags.url) {
    const { url } = await terminal.wait(checking, () => cloud.describe(serviceName));
    return terminal.json ? terminal.printJson({ url }) : terminal.print(`${url}\n`);
  }
  const [service, policy] = await terminal.wait(checking, () =>
    Promise.all([cloud.describe(serviceName), servicePolicyIfAllowed(cloud, serviceName)]),
  );
  if (!policy) terminal.warn("Members aren't shown: reading the IAM policy requires run.services.getIamPolicy.");
  const members = policy?.bindings.flatMap(({ role, members: roleMembers }) => roleMembers.map((member) => ({ member, role }))) ?? null;
  if (terminal.json) return terminal.printJson({ ...service, members });
  const { rows, piped } = withTimes((formatTime) => [
    ...serviceRows(service, formatTime),
    ...(members ?? []).map(({ member, role }) => ["MEMBER", `${member} ${role}`]),
    ...service.conditions.map(({ type, status, reason, message }) => {
      const style = status === "True" ? "green" : status === "False" ? "red" : "yellow";
      return ["CONDITION", [type, terminal.style(style, status), reason, message].filter(Boolean).join(" ")];
    }),
    // The emulator's services have no page there.
    ...(context.env.CLOUDRUN_OAUTH_EMULATOR ? [] : [["CONSOLE", service.console_url]]),
  ]);
  terminal.printTable(rows, { piped });
}

function serviceRows(service: Service, formatTime: (time: string) => string): string[][] {
  const { cpu, memory, port, concurrency, timeout, deployed, last_modifier: modifier, max_instances: max } = service;
  const join = (separator: string, parts: readonly unknown[]) => parts.filter(Boolean).join(separator);
  return [
    ["URL", service.url],
    ["REVISION", service.revision ?? "none ready"],
    ...(service.latest_created_revision === service.revision ? [] : [["LATEST", `${service.latest_created_revision}, not ready`]]),
    ["DEPLOYED", join(" ", [deployed === null ? "unknown" : formatTime(deployed), modifier && `by ${modifier}`])],
    ["IMAGE", service.image ?? ""],
    ...(service.service_account === null ? [] : [["RUNS AS", service.service_account]]),
    ["INSTANCES", `${service.min_instances} to ${max ?? "quota limit"}`],
    [
      "RESOURCES",
      join(", ", [
        cpu && `${cpu.replace(/^\d+m$/, (text) => String(Number.parseInt(text, 10) / 1000))} CPU`,
        memory && `${memory} memory`,
        service.cpu_always_allocated ? "CPU always allocated" : "CPU only during requests",
      ]),
    ],
    [
      "REQUESTS",
      join(", ", [
        port !== null && `port ${port}`,
        concurrency !== null && `max ${concurrency} concurrent per instance`,
        timeout !== null && `timeout ${timeout} s`,
      ]),
    ],
    ...service.env.map(({ name, secret }) => ["ENV", secret ? `${name} (secret ${secret.name}, version ${secret.version})` : name]),
    ...Object.entries(service.labels).map(([name, value]) => ["LABEL", `${name}=${value}`]),
    ["INGRESS", service.ingress],
    ...(service.default_url_disabled ? [["DEFAULT URL", "disabled"]] : []),
    ...(service.invoker_iam_disabled ? [["INVOKER IAM CHECK", "disabled: the service is public"]] : []),
    ...(service.iap_enabled ? [["IAP", "enabled"]] : []),
    ...service.custom_audiences.map((audience) => ["AUDIENCE", audience]),
    ...service.traffic.map(({ revision, percent, latest, tag, url }) => [
      "TRAFFIC",
      join(" ", [`${percent}%`, revision, latest && "(latest)", tag && `tag ${tag}`, url]),
    ]),
  ];
}
