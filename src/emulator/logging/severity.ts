/** https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry#logseverity, the n-th of which has the number n × 100. */
const SEVERITIES = ["DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY"] as const;

export type Severity = (typeof SEVERITIES)[number];

/** What languages' own loggers call their levels. */
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

/** A severity by its name, in either case, by a name that is as good, or by its number; undefined for anything else. */
export function parseSeverity(value: unknown): Severity | undefined {
  const text = String(value).trim().toUpperCase();
  if (/^\d+$/.test(text)) return SEVERITIES[Math.min(Math.floor(Number(text) / 100), SEVERITIES.length - 1)];
  return SEVERITIES.find((name) => name === text) ?? (Object.hasOwn(ALIASES, text) ? ALIASES[text] : undefined);
}

export function rankOf(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}
