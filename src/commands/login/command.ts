import { defineCommand } from "../../context/define-command.ts";
import { flag } from "../../context/flag.ts";

export const loginCommand = defineCommand({
  name: "login",
  summary: "Sign in with your Google account, without gcloud",
  description:
    "Signs you in with a browser and saves the login as Application Default Credentials, where Google's client libraries find it too. Needs an OAuth client of type Desktop app: create one at https://console.cloud.google.com/apis/credentials and download its JSON file. The login works for deploy, grant, and other control plane commands (with --via api if gcloud is installed). To call a private service with it, pass --impersonate-service-account to invoke.",
  flags: [
    flag("--client-id-file <file>", "JSON file for your OAuth client (type Desktop app)"),
    flag("--account <email>", "Account to sign in with"),
    flag("--no-browser", "Print the URL instead of opening a browser"),
  ],
  examples: [
    ["cloudrun-oauth login --client-id-file client_secret.json"],
    ["cloudrun-oauth --emulator login --account me@example.com", "a user in the emulator; no client needed"],
  ],
  load: async () => (await import("./login.ts")).login,
});

export const logoutCommand = defineCommand({
  name: "logout",
  summary: "Revoke your login and delete it",
  description:
    "Revokes the login in Application Default Credentials and deletes the file. It also deletes a login that came from gcloud auth application-default login. Access tokens that were issued for it stop working too.",
  examples: [["cloudrun-oauth logout"]],
  load: async () => (await import("./logout.ts")).logout,
});

export const whoamiCommand = defineCommand({
  name: "whoami",
  summary: "Show the account that requests are sent as",
  description:
    "Shows the account that invoke, token, proxy, and load use, where its credentials were found, and the project. Exits with 3 if no credentials are found. Secrets are never printed.",
  examples: [["cloudrun-oauth whoami"], ["cloudrun-oauth whoami --json"]],
  load: async () => (await import("./whoami.ts")).whoami,
});
