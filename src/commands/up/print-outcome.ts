import type { Context } from "../../context/context.ts";
import type { Outcome } from "./apply.ts";
import type { Goal } from "./plan.ts";

/** Prints the response of the authenticated call; under `--json`, one document about everything. */
export function printOutcome({ terminal }: Pick<Context, "terminal">, goal: Goal, outcome: Outcome, steps: readonly object[]): void {
  const { service, member, refused, invocation } = outcome;
  if (!terminal.json) return terminal.print(invocation.document);
  terminal.printJson({
    service: goal.service,
    project: goal.project,
    region: goal.region,
    url: service.url,
    image: goal.image,
    revision: service.revision,
    member,
    refused,
    invoke: JSON.parse(invocation.document) as unknown,
    steps,
  });
}
