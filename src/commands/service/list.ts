import type { Service } from "../../cloud/service.ts";
import type { Context } from "../../context/context.ts";
import { printPlan } from "../../context/print-plan.ts";
import { nextStep } from "../../errors/next-step.ts";
import { withTimes } from "../../terminal/relative-time.ts";

/** Shows the services of a project, in all regions or in the one that `--region` names. */
export async function list(context: Context): Promise<void> {
  const { settings, terminal } = context;
  // A region in the environment or a file is for other commands, and must not hide services here.
  const options = { project: settings.require("project"), region: settings.flag("region") };
  const cloud = await context.cloud();
  if (context.dryRun) return printPlan(terminal, cloud.plan("list", options));
  const services = await terminal.wait("Listing services", () => cloud.list(options));
  if (terminal.json) return terminal.printJson({ project: options.project, region: options.region ?? null, services });
  if (services.length === 0) {
    terminal.note(`No services found in ${options.region ?? "any region"} (project ${options.project}).`);
    return terminal.nextSteps([nextStep("To deploy a service", "deploy")]);
  }
  const { rows, piped } = withTimes((formatTime) =>
    services.map((service) => {
      const [state, style] = stateOf(service);
      const deployed = service.deployed === null ? "" : formatTime(service.deployed);
      return [service.service, service.region, terminal.style(style, state), service.url, deployed, service.last_modifier ?? ""];
    }),
  );
  terminal.printTable(rows, { header: ["name", "region", "state", "url", "deployed", "deployed by"], piped });
}

function stateOf({ conditions }: Service) {
  const ready = conditions.find(({ type }) => type === "Ready");
  if (ready?.status === "True") return ["ready", "green"] as const;
  return ready?.status === "False" ? (["not ready", "red"] as const) : (["deploying", "yellow"] as const);
}
