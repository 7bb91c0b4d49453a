import type { Context } from "../../context/context.ts";

/** Asks before a role on a service goes to everyone; true for any other member. Throws USAGE if no one can answer and `--yes` isn't passed. */
export async function confirmAccess(
  { terminal, dryRun }: Context,
  service: string,
  { member, role }: { readonly member: string; readonly role: string },
): Promise<boolean> {
  if (dryRun || (member !== "allUsers" && member !== "allAuthenticatedUsers")) return true;
  const everyone = member === "allUsers" ? "Anyone on the internet" : "Anyone with a Google account";
  terminal.note(`${everyone} will have ${role} on service ${service}.`);
  if (await terminal.confirm(`Make service ${service} public?`)) return true;
  terminal.note("No changes made.");
  return false;
}
