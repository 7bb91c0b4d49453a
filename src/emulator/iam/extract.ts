/**
 * What stands in `text` where `template` has its one `{name}`: up to what follows it in the template, or to the end; "" where it does not fit.
 * https://cloud.google.com/iam/docs/conditions-attribute-reference#extract
 */
export function extract(text: string, template: string): string {
  const [, before, after] = /^([^{]*)\{\w*\}(.*)$/s.exec(template) ?? [];
  if (before === undefined || after === undefined) return "";
  const found = text.indexOf(before);
  if (found < 0) return "";
  const rest = text.slice(found + before.length);
  const end = after === "" ? rest.length : rest.indexOf(after);
  return end < 0 ? "" : rest.slice(0, end);
}
