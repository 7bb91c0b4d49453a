/** https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry#logseverity; the number of a severity is 100 times its index. */
const SEVERITIES = ["DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY"] as const;

export type Severity = (typeof SEVERITIES)[number];

/** Levels of various languages' loggers. */
const ALIASES: Readonly<Record<string, Severity>> = {
  D: "DEBUG",
  TRACE: "DEBUG",
  FINE: "DEBUG",
  FINER: "DEBUG",
  FINEST: "DEBUG",
  CONFIG: "DEBUG",
  I: "INFO",
  INFORMATION: "INFO",
  N: "NOTICE",
  W: "WARNING",
  WARN: "WARNING",
  E: "ERROR",
  ERR: "ERROR",
  SEVERE: "ERROR",
  C: "CRITICAL",
  CRIT: "CRITICAL",
  F: "CRITICAL",
  FATAL: "CRITICAL",
  A: "ALERT",
  EMERG: "EMERGENCY",
};

/** A severity from its name in either case, from an alias, or from its number; otherwise undefined. */
export function parseSeverity(value: unknown): Severity | undefined {
  const text = String(value).trim().toUpperCase();
  if (/^\d+$/.test(text)) return SEVERITIES[Math.min(Math.floor(Number(text) / 100), SEVERITIES.length - 1)];
  return SEVERITIES.find((name) => name === text) ?? (Object.hasOwn(ALIASES, text) ? ALIASES[text] : undefined);
}

export function rankOf(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}
