import { parseFlags, readNumber, readSeconds, unknownToApi } from "./flag-values.ts";

/** What a build has besides its source, steps and images: https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds */
interface BuildSettings {
  readonly timeout?: string;
  readonly options?: { readonly machineType?: string; readonly diskSizeGb?: string };
}

const FLAGS: Readonly<Record<string, (value: string) => BuildSettings>> = {
  "--timeout": (value) => ({ timeout: `${readSeconds("--timeout", value)}s` }),
  "--machine-type": (value) => ({ options: { machineType: value.toUpperCase().replaceAll("-", "_") } }),
  "--disk-size": (value) => ({ options: { diskSizeGb: String(readNumber("--disk-size", value.replace(/GB?$/i, ""))) } }),
};

/** The settings that flags of `gcloud builds submit` mean. Throws USAGE for a flag that only gcloud supports. */
export function readBuildFlags(words: readonly string[] = []): BuildSettings {
  const settings = parseFlags(words, (flag) => (Object.hasOwn(FLAGS, flag) ? "value" : undefined), refuse).map(
    ({ flag, value }) => FLAGS[flag]?.(value) ?? {},
  );
  const options: BuildSettings["options"] = Object.assign({}, ...settings.map((setting) => setting.options));
  return Object.assign({}, ...settings, Object.keys(options ?? {}).length > 0 && { options });
}

function refuse(flag: string): Error {
  return unknownToApi(flag, "build", Object.keys(FLAGS));
}
