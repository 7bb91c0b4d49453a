import apis from "./google-apis.json" with { type: "json" };

/** `"string"`, `"#Type"`, `[type of the items]`, `{"field": type}`, `{"*": type of a map's values}`. */
type Type = string | readonly [Type] | { readonly [field: string]: Type };

interface GoogleApi {
  readonly host: string;
  readonly revision: string;
  /** HTTP method, path with `{}` for one segment and `{**}` for several, response type. */
  readonly methods: Readonly<Record<string, readonly string[]>>;
  readonly types: Readonly<Record<string, Type>>;
}

/** Google's own description of its APIs, by name and version; see scripts/distil-discovery.mjs. */
export const GOOGLE_APIS = apis as unknown as Readonly<Record<string, GoogleApi>>;

interface Method {
  readonly api: GoogleApi;
  readonly name: string;
  readonly line: string;
  readonly pattern: RegExp;
  readonly answer: string;
}

/** A colon stands before a method's verb, and in an image's digest. */
const HOLES: Readonly<Record<string, string>> = { "{}": "(?:[^/:]|:[0-9a-f]{64})+", "{**}": "[^:]+" };

const METHODS: readonly Method[] = Object.values(GOOGLE_APIS).flatMap((api) =>
  Object.entries(api.methods).map(([name, [method, path = "", answer = ""]]) => {
    const pattern = path.replaceAll(/\{(?:\*\*)?\}|[.*+?^$()[\]\\|]/g, (found) => HOLES[found] ?? `\\${found}`);
    return { api, name, line: `${method} ${path}`, pattern: new RegExp(`^${method} ${pattern}$`), answer };
  }),
);

/** What of a recorded answer Google would not have given: one sentence each. Hosts and versions that are not described are none of its business. */
export function findDeviations({ method, url, answer }: { method: string; url: string; answer?: unknown }): string[] {
  const { host, pathname } = new URL(url);
  const name = host.replace(/^[a-z]+-[a-z]+\d+-/, "");
  const line = `${method} ${pathname}`;
  const known = METHODS.filter(({ api }) => api.host === name);
  const version = pathname.split("/")[1];
  if (!known.some(({ line }) => line.split("/")[1] === version)) return [];
  const candidates = known.filter(({ pattern }) => pattern.test(line)).sort((a, b) => holes(a.line) - holes(b.line));
  const [found] = candidates;
  if (!found) return [`${method} ${url} is no method of Google's`];
  const deviations = [...compare(answer, `#${found.answer}`, found.api.types, "")];
  return deviations.map((deviation) => `${found.name} (${line}): ${deviation}`);
}

function holes(line: string): number {
  return line.split("{").length;
}

function* compare(value: unknown, type: Type, types: GoogleApi["types"], path: string): Generator<string> {
  const expected = typeof type === "string" && type.startsWith("#") ? types[type.slice(1)] : type;
  if (expected === undefined) return yield `${path || "the answer"} is of the type ${JSON.stringify(type)}, which Google does not describe`;
  if (expected === "any" || (typeof expected === "object" && "*" in expected && expected["*"] === "any"))
    return yield* compareAny(value, types, path);
  if (Array.isArray(value)) {
    if (!Array.isArray(expected)) return yield `${path} is a list and has to be ${JSON.stringify(type)}`;
    for (const item of value) yield* compare(item, expected[0], types, `${path}[]`);
  } else if (typeof value === "object" && value !== null) {
    if (typeof expected === "string" || Array.isArray(expected)) return yield `${path} is an object and has to be ${JSON.stringify(type)}`;
    yield* compareFields(value as Readonly<Record<string, unknown>>, expected as Readonly<Record<string, Type>>, types, path);
  } else if (value !== (expected === "integer" ? "number" : expected)) {
    yield `${path || "the answer"} is a ${String(value)} and has to be ${JSON.stringify(type)}`;
  }
}

function* compareFields(
  value: Readonly<Record<string, unknown>>,
  fields: Readonly<Record<string, Type>>,
  types: GoogleApi["types"],
  path: string,
): Generator<string> {
  for (const [name, member] of Object.entries(value)) {
    const type = fields[name] ?? fields["*"];
    if (name === "@type" && type === undefined) continue;
    if (type === undefined) yield `there is no field ${path}.${name}`;
    else yield* compare(name === "@type" ? "string" : member, type, types, `${path}.${name}`);
  }
}

/** A message that says its own type: `type.googleapis.com/google.cloud.run.v2.Service` is described as GoogleCloudRunV2Service, or as Service. */
function* compareAny(value: unknown, types: GoogleApi["types"], path: string): Generator<string> {
  const name = (value as Readonly<Record<string, unknown>> | null)?.["@type"];
  if (typeof name !== "string") return;
  const words = name.slice(name.indexOf("/") + 1).split(".");
  const long = words.map((word) => word.replace(/^./, (letter) => letter.toUpperCase())).join("");
  const found = [long, words.at(-1) ?? ""].find((each) => types[each]);
  if (found) yield* compare(value, `#${found}`, types, path);
}
