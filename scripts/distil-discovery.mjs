// Distils Google's API descriptions (https://www.googleapis.com/discovery/v1/apis) into test/fidelity/google-apis.json: the HTTP line and the response
// type of every method, and the fields of every type in a response. No descriptions.
//   node scripts/distil-discovery.mjs FOLDER-OF-DESCRIPTIONS
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const [folder] = process.argv.slice(2);
if (!folder) throw new Error("Name the folder that holds the descriptions: node scripts/distil-discovery.mjs FOLDER");

const apis = {};
for (const file of readdirSync(folder).toSorted()) {
  if (!file.endsWith(".json")) continue;
  const description = JSON.parse(readFileSync(join(folder, file), "utf8"));
  const methods = [...methodsOf(description)].flatMap((method) => distilMethod(method, description));
  const answers = methods.map(([, , , answer]) => answer).filter(Boolean);
  apis[`${description.name} ${description.version}`] = {
    host: new URL(description.rootUrl).host,
    revision: description.revision,
    methods: Object.fromEntries(methods.map(([name, ...method]) => [name, method])),
    types: distilTypes(answers, description.schemas),
  };
}
writeFileSync(fileURLToPath(new URL("../test/fidelity/google-apis.json", import.meta.url)), print(apis));

function* methodsOf({ methods = {}, resources = {} }) {
  yield* Object.values(methods);
  for (const resource of Object.values(resources)) yield* methodsOf(resource);
}

/**
 * Returns the method and its uploads, as `[name, HTTP method, path, response type]`. In a path, `{}` stands for one segment and `{**}` for several.
 * https://cloud.google.com/storage/docs/performing-resumable-uploads: an upload continues with PUT to the same path.
 */
function distilMethod({ id, httpMethod, path, parameters = {}, response, mediaUpload }, { name, servicePath }) {
  const fill = (_, parameter) =>
    parameters[parameter]?.pattern
      ?.replace(/^\^|\$$/g, "")
      .replaceAll("[^/]+", "{}")
      .replaceAll(".*", "{**}") ?? "{}";
  const line = (way, method, template) => [
    `${id.slice(name.length + 1)}${way}`,
    method,
    template.replaceAll(/\{\+?(\w+)\}/g, fill),
    response?.$ref ?? "",
  ];
  const uploads = Object.entries(mediaUpload?.protocols ?? {}).flatMap(([protocol, upload]) => [
    line(` (${protocol} upload)`, httpMethod, upload.path),
    line(` (${protocol} upload, going on)`, "PUT", upload.path),
  ]);
  return [line("", httpMethod, `/${servicePath}${path}`), ...uploads];
}

/** The types of the responses, and all types that they contain. */
function distilTypes(answers, schemas) {
  const types = {};
  // No response type names an operation's metadata, which has an @type of its own.
  const rest = [...answers, ...Object.keys(schemas).filter((name) => /OperationMetadata(V1)?$/.test(name))];
  for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
    if (types[name]) continue;
    types[name] = distilType(schemas[name], rest);
  }
  return Object.fromEntries(Object.entries(types).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** `"string"`, `"#Type"`, `[type of the items]`, `{"field": type}`, `{"*": type of a map's values}`. */
function distilType({ $ref, type, items, properties, additionalProperties }, found) {
  if ($ref) {
    found.push($ref);
    return `#${$ref}`;
  }
  if (type === "array") return [distilType(items, found)];
  if (type !== "object") return type;
  if (additionalProperties) return { "*": distilType(additionalProperties, found) };
  return Object.fromEntries(Object.entries(properties ?? {}).map(([name, property]) => [name, distilType(property, found)]));
}

/** JSON with a line for each method and each type. */
function print(document) {
  const lines = (object) =>
    Object.entries(object)
      .map(([name, value]) => `      ${JSON.stringify(name)}: ${JSON.stringify(value)}`)
      .join(",\n");
  const parts = Object.entries(document).map(
    ([name, { host, revision, methods, types }]) =>
      `  ${JSON.stringify(name)}: {\n    "host": ${JSON.stringify(host)},\n    "revision": ${JSON.stringify(revision)},\n` +
      `    "methods": {\n${lines(methods)}\n    },\n    "types": {\n${lines(types)}\n    }\n  }`,
  );
  return `{\n${parts.join(",\n")}\n}\n`;
}
