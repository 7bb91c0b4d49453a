import { CliError } from "../../errors/cli-error.ts";
import { closestMatch } from "../../errors/closest-match.ts";
import { readNumber, readSeconds } from "./flag-values.ts";

/** What a build's message says beside its source, its steps and its images: https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds */
interface BuildSettings {
  /** Seconds, with an s behind. */
  readonly timeout?: string;
  readonly options?: { readonly machineType?: string; readonly diskSizeGb?: string };
}

const FLAGS: Readonly<Record<string, (value: string) => BuildSettings>> = {
  "--timeout": (value) => ({ timeout: `${readSeconds("--timeout", value)}s` }),
  "--machine-type": (value) => ({ options: { machineType: value.toUpperCase().replaceAll("-", "_") } }),
  "--disk-size": (value) => ({ options: { diskSizeGb: String(readNumber("--disk-size", value.replace(/GB?$/i, ""))) } }),
};

/** What flags of `gcloud builds submit` say of a build. Throws USAGE for one that only gcloud understands, by its name. */
export function readBuildFlags(words: readonly string[] = []): BuildSettings {
  const said: BuildSettings[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const [, flag = "", attached] = /^([^=]*)(?:=([\s\S]*))?$/.exec(words[index] ?? "") ?? [];
    const read = FLAGS[flag];
    if (!read) throw refused(flag);
    const value = attached ?? words[(index += 1)];
    if (value === undefined) throw new CliError("USAGE", `${flag} needs a value.`, { hint: `-- ${flag} VALUE` });
    said.push(read(value));
  }
  const options: BuildSettings["options"] = Object.assign({}, ...said.map((each) => each.options));
  return Object.assign({}, ...said, Object.keys(options ?? {}).length > 0 && { options });
}

function refused(flag: string): CliError {
  const known = Object.keys(FLAGS);
  const near = closestMatch(flag, known);
  return new CliError("USAGE", `${flag} is for gcloud, and this build goes by Google's API.`, {
    hint: `${near ? `Did you mean ${near}? ` : ""}The API takes ${known.join(", ")}. For others, install gcloud and say --via gcloud.`,
    details: { flag },
  });
}
