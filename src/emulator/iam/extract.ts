/**
 * The part of `text` that matches the only `{name}` in `template`: up to what follows it in the template, or to the end; "" if the text
 * doesn't match. https://cloud.google.com/iam/docs/conditions-attribute-reference#extract
 */
export function extract(text: string, template: string): string {
  const [, before, after] = /^([^{]*)\{\w*\}(.*)$/s.exec(template) ?? [];
  if (before === undefined || after === undefined) return "";
  const start = text.indexOf(before);
  if (start < 0) return "";
  const rest = text.slice(start + before.length);
  const end = after === "" ? rest.length : rest.indexOf(after);
  return end < 0 ? "" : rest.slice(0, end);
}
