import { parseFilter } from "../apis/filter.ts";
import { page } from "../apis/pagination.ts";
import type { Build } from "../state/resources.ts";

/** Builds' fields that a filter may name, as it may spell them. */
const FIELDS: Readonly<Record<string, string>> = { status: "status", tags: "tags", images: "images", id: "id", build_id: "id" };

/** One page of builds, the newest first, as `filter`, `pageSize` and `pageToken` of a list request ask. Without a location builds of all places are listed. */
export function listBuilds(builds: readonly Build[], location: string | undefined, query: URLSearchParams): object {
  const filter = parseFilter(query.get("filter") ?? "", Object.keys(FIELDS));
  const fitting = builds
    .filter(({ name }) => location === undefined || location === "-" || String(name).includes(`/locations/${location}/`))
    .filter((build) => filter((name) => build[FIELDS[name] ?? ""]))
    .sort((a, b) => (String(a["createTime"]) < String(b["createTime"]) ? 1 : -1));
  return page("builds", fitting, query);
}
