import { invalidArgument } from "../server/errors.ts";
import type { ObjectMeta } from "./knative.ts";

interface ListItem {
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

/** A Knative list of the items that match the query's labelSelector, in pages of its limit; each page names the next in `continue`. */
export function knativeList<T extends ListItem>(kind: T["kind"], all: readonly T[], query: URLSearchParams): object {
  const matchesSelector = parseSelector(query.get("labelSelector") ?? "");
  const limit = Number(query.get("limit") ?? 0);
  if (!Number.isInteger(limit) || limit < 0) throw invalidArgument("Invalid value at 'limit' (TYPE_INT32).");
  const after = Buffer.from(query.get("continue") ?? "", "base64url").toString();
  const selected = all
    .filter(({ metadata }) => matchesSelector(metadata.labels))
    .sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1))
    .filter((item) => sortKey(item) > after);
  const items = limit > 0 ? selected.slice(0, limit) : selected;
  const last = items.length < selected.length ? items.at(-1) : undefined;
  const metadata = last ? { continue: Buffer.from(sortKey(last)).toString("base64url") } : {};
  return { apiVersion: "serving.knative.dev/v1", kind: `${kind}List`, metadata, items };
}

function sortKey({ metadata }: ListItem): string {
  return `${metadata.labels["cloud.googleapis.com/location"] ?? ""}/${metadata.name}`;
}

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors */
function parseSelector(selector: string): (labels: Readonly<Record<string, string>>) => boolean {
  const requirements = selector
    .split(/,(?![^(]*\))/)
    .map((text) => text.trim())
    .filter((text) => text !== "")
    .map(parseRequirement);
  return (labels) => requirements.every((matches) => matches(labels));
}

function parseRequirement(text: string): (labels: Readonly<Record<string, string>>) => boolean {
  const [, label = "", operator, value = ""] = /^([\w./-]+)\s*(?:(==?|!=)\s*([\w.-]*))?$/.exec(text) ?? [];
  if (label !== "" && operator === undefined) return (labels) => label in labels;
  if (label !== "") return (labels) => (labels[label] === value) === (operator !== "!=");
  const [, absent] = /^!\s*([\w./-]+)$/.exec(text) ?? [];
  if (absent !== undefined) return (labels) => !(absent in labels);
  const [, setLabel = "", isNegated, list = ""] = /^([\w./-]+)\s+(not)?in\s+\(([\w.,\s-]*)\)$/.exec(text) ?? [];
  if (setLabel === "") throw invalidArgument(`Invalid value at 'labelSelector': '${text}' isn't a valid requirement.`);
  const values = list.split(",").map((value) => value.trim());
  return (labels) => values.includes(labels[setLabel] ?? "\0") !== (isNegated !== undefined);
}
