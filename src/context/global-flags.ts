import { durationFlag, flag, type OptionsOf } from "./flag.ts";

/** The flags that every command takes, before its name and after it. */
export const GLOBAL_FLAGS = [
  flag("-p, --project <id>", "the Google Cloud project"),
  flag("-r, --region <region>", "the region (default: us-central1)"),
  flag("-s, --service <name>", "the service"),
  flag("--profile <name>", "take settings from this profile"),
  flag("-C, --cwd <folder>", "act as if started in this folder"),
  flag("--emulator", "act on the emulator that runs on this machine"),
  flag("--via <way>", "gcloud or api (default: gcloud where it is installed)"),
  flag("--json", "print one JSON document; errors as JSON on the last line of stderr"),
  flag("--dry-run", "print what would be done, change nothing"),
  flag("-y, --yes", "take yes for an answer"),
  flag("-q, --quiet", "print no progress"),
  flag("-v, --verbose", "print every request and program that is run"),
  flag("--no-color", "print without colours"),
  durationFlag("--timeout <duration>", "give up after this time: 90, 90s, 5m"),
] as const;

export type GlobalOptions = Partial<OptionsOf<typeof GLOBAL_FLAGS>>;
