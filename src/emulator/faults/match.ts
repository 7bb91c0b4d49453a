/**
 * Whether a host and a path fit a pattern `HOST/PATH`, either of which may be left out: `*` stands for what is between two slashes, `**` for
 * anything, and each of them for nothing too. The query has no part in it.
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
