import { CliError } from "../../errors/cli-error.ts";
import type { GrantOptions, Policy } from "../cloud.ts";
import { roleNotGranted } from "../errors/role-not-granted.ts";
import type { ProjectName, ServiceName } from "../names.ts";
import { withRetry } from "../retry.ts";
import { defineVerb } from "../verb.ts";
import { commandVerb, jsonCommand, parseGcloudJson } from "./command.ts";
import { gcloudLine, type Gcloud } from "./process.ts";

/** gcloud retries its own read-modify-write a few times; when many clients change one policy at once, that is not enough. */
const MAX_CONFLICTS = 20;

export function policyVerbs(gcloud: Gcloud, signal: AbortSignal) {
  const policy = commandVerb(gcloud, { args: policyArgs, read: readPolicy });
  return {
    policy,
    projectPolicy: commandVerb(gcloud, {
      args: ({ project }: ProjectName) => jsonCommand(["projects", "get-iam-policy", project]),
      read: readPolicy,
    }),
    grant: defineVerb({
      plan: (options: GrantOptions) => [gcloudLine(bindingArgs("add", options))],
      run: (options) => withRetry(async () => readPolicy(await gcloud(bindingArgs("add", options))), { signal, conflicts: MAX_CONFLICTS }),
    }),
    revoke: defineVerb({
      plan: (options: GrantOptions) => [gcloudLine(bindingArgs("remove", options))],
      run: (options) =>
        withRetry(
          async (attempt) => {
            try {
              return readPolicy(await gcloud(bindingArgs("remove", options)));
            } catch (error) {
              if (!(error instanceof CliError && error.message.startsWith("Policy binding with the specified"))) throw error;
              // The member had the role at first, so another client has made this very change meanwhile.
              if (attempt > 1) return readPolicy(await gcloud(policyArgs(options)));
              throw roleNotGranted(options, error.cause);
            }
          },
          { signal, conflicts: MAX_CONFLICTS },
        ),
    }),
  };
}

function policyArgs(options: ServiceName): string[] {
  return jsonCommand(["run", "services", "get-iam-policy", options.service], options);
}

/** If a policy has conditions, gcloud needs to know that this binding has none. */
function bindingArgs(change: "add" | "remove", options: GrantOptions): string[] {
  const { service, member, role } = options;
  const words = ["run", "services", `${change}-iam-policy-binding`, service, "--member", member, "--role", role, "--condition=None"];
  return jsonCommand(words, options);
}

function readPolicy(stdout: string): Policy {
  const { bindings = [], etag = "" } = parseGcloudJson<Partial<Policy>>(stdout);
  return { bindings, etag };
}
