/** Google's severities, from the least to the greatest: https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry#logseverity */
export const SEVERITIES = ["DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY"] as const;

export type Severity = (typeof SEVERITIES)[number];
