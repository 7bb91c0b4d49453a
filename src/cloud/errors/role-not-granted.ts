import { CliError } from "../../errors/cli-error.ts";
import { nextStep } from "../../errors/next-step.ts";
import type { GrantOptions } from "../cloud.ts";

export function roleNotGranted({ service, member, role }: GrantOptions, cause?: unknown): CliError {
  return new CliError("NOT_FOUND", `${member} doesn't have ${role} on "${service}".`, {
    next: [nextStep("To list members", "members", service, "--all")],
    cause,
    subject: { kind: "role", name: role },
    details: { service, member, role },
  });
}
