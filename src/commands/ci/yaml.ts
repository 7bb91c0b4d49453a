/** Words that YAML doesn't read as text: https://yaml.org/type/bool.html and the core schema of 1.2. */
const WORDS = /^(?:true|false|yes|no|on|off|y|n|null|~|\.?(?:inf|nan))$/i;

/** Text as a YAML scalar, quoted if necessary. */
export function yamlText(text: string): string {
  const isPlain = /^[A-Za-z][\w./@+:=-]*$/.test(text) && !text.endsWith(":") && !WORDS.test(text);
  return isPlain ? text : JSON.stringify(text);
}

/** A line of shell as a YAML scalar. */
export function yamlLine(line: string): string {
  return /^[\w ./@"$:'-]+$/.test(line) && !/: |:$/.test(line) ? line : JSON.stringify(line);
}

export function yamlVariables(variables: Readonly<Record<string, string>>, indent: string): string {
  return Object.entries(variables)
    .map(([name, value]) => `${indent}${name}: ${yamlText(value)}\n`)
    .join("");
}
