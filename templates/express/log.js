// Cloud Logging reads every line of JSON on stdout as one structured entry:
// https://cloud.google.com/logging/docs/structured-logging

const PROJECT = process.env.GOOGLE_CLOUD_PROJECT;

/** The log line of one answered request. `headers` is an object with lower-case names. */
export function requestLine({ method, path, headers, status, milliseconds }) {
  return JSON.stringify({
    severity: status >= 500 ? "ERROR" : status >= 400 ? "WARNING" : "INFO",
    message: `${method} ${path} ${status}`,
    httpRequest: {
      requestMethod: method,
      requestUrl: path, // without its query, which may hold a secret
      status,
      latency: `${(milliseconds / 1000).toFixed(3)}s`,
      userAgent: headers["user-agent"],
    },
    "logging.googleapis.com/trace": trace(headers["x-cloud-trace-context"]),
  });
}

/** The log line of an unexpected error; Error Reporting finds it by its stack. */
export function errorLine(error) {
  return JSON.stringify({ severity: "ERROR", message: error?.stack ?? String(error) });
}

function trace(context = "") {
  const [id] = context.split("/");
  return PROJECT && id ? `projects/${PROJECT}/traces/${id}` : undefined;
}
