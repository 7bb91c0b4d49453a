/** Text from a token or another machine, as part of one line: it must neither control the terminal nor fill it. */
export function toOneLine(text: unknown, maxLength = 300): string {
  if (typeof text !== "string") return "";
  return text
    .replace(/[\p{Cc}\p{Cf}]+/gu, " ")
    .slice(0, maxLength)
    .trim();
}
