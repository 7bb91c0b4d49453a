import { parseFilter } from "../apis/filter.ts";
import { listPage } from "../apis/pagination.ts";
import type { Build } from "../state/resources.ts";

/** The fields that a filter can name, in the spellings that it can use. */
const FILTER_FIELDS: Readonly<Record<string, string>> = { status: "status", tags: "tags", images: "images", id: "id", build_id: "id" };

/**
 * A page of builds, newest first, for the `filter`, `pageSize` and `pageToken` of a list request. Without a location, the builds of all
 * locations are listed.
 */
export function listBuilds(builds: readonly Build[], location: string | undefined, query: URLSearchParams): object {
  const filter = parseFilter(query.get("filter") ?? "", Object.keys(FILTER_FIELDS));
  const matches = builds
    .filter(({ name }) => location === undefined || location === "-" || String(name).includes(`/locations/${location}/`))
    .filter((build) => filter((name) => build[FILTER_FIELDS[name] ?? ""]))
    .sort((a, b) => (String(a["createTime"]) < String(b["createTime"]) ? 1 : -1));
  return listPage("builds", matches, query);
}
