/**
 * Whether a host and a path match a pattern `HOST/PATH`, of which either part can be missing: `*` matches anything between two slashes,
 * `**` anything; both match nothing too. The query is ignored.
 */
export function matchesUrl(pattern: string, host: string, path: string): boolean {
  const slash = pattern.indexOf("/");
  const [hosts, paths] = slash < 0 ? [pattern, ""] : [pattern.slice(0, slash), pattern.slice(slash)];
  return matchesGlob(hosts.toLowerCase() || "**", host) && matchesGlob(paths === "" ? "**" : paths, path);
}

function matchesGlob(glob: string, text: string): boolean {
  const pattern = glob.replace(/\*\*|\*|[.+?^${}()|[\]\\]/g, (found) => {
    if (found === "**") return ".*";
    return found === "*" ? "[^/]*" : `\\${found}`;
  });
  return new RegExp(`^${pattern}$`, "s").test(text);
}
