import { durationFlag, flag, type OptionsOf } from "./flag.ts";
import { parseFormat } from "./parse-format.ts";

/** The flags that every command takes, before its name and after it. */
export const GLOBAL_FLAGS = [
  flag("-p, --project <id>", "Google Cloud project"),
  flag("-r, --region <region>", "Region (default: us-central1)"),
  flag("-s, --service <name>", "Cloud Run service"),
  flag("--profile <name>", "Configuration profile to use"),
  flag("-C, --cwd <directory>", "Run as if started in this directory"),
  flag("--emulator", "Use the local emulator instead of Google Cloud"),
  flag("--via <client>", "Control plane client: gcloud or api (default: gcloud if installed)"),
  flag("--json", "Print output and errors as JSON"),
  flag("--format <format>", "table, json, or value(KEY), for example value(url)", { parse: parseFormat }),
  flag("--dry-run", "Show the requests or gcloud commands without running them"),
  flag("-y, --yes", "Skip confirmation prompts"),
  flag("-q, --quiet", "Suppress progress output"),
  flag("-v, --verbose", "Show HTTP requests and subprocesses"),
  flag("--no-color", "Disable color"),
  durationFlag("--timeout <duration>", "Maximum time for the whole command, for example 90s or 5m"),
] as const;

export type GlobalOptions = Partial<OptionsOf<typeof GLOBAL_FLAGS>>;
