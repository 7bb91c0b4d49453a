"""Cloud Logging reads every line of JSON on stdout as one structured entry:
https://cloud.google.com/logging/docs/structured-logging
"""

import json
import logging
import os
import sys
from typing import Mapping, TextIO

PROJECT = os.environ.get("GOOGLE_CLOUD_PROJECT")


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        # Python's level names are Cloud Logging's severities. An exception's traceback is part of
        # the message, where Error Reporting looks for it.
        entry = {"severity": record.levelname, "message": super().format(record)}
        return json.dumps({**entry, **getattr(record, "entry", {})})


def log_json(stream: TextIO = sys.stdout) -> None:
    """Makes a line of JSON of all that is logged, by the service and by its libraries."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def log_request(method: str, path: str, headers: Mapping[str, str], status: int, seconds: float) -> None:
    """Logs one answered request."""
    request = {
        "requestMethod": method,
        "requestUrl": path,  # without its query, which may hold a secret
        "status": status,
        "latency": f"{seconds:.3f}s",
    }
    if "User-Agent" in headers:
        request["userAgent"] = headers["User-Agent"]
    entry = {"httpRequest": request}
    trace = headers.get("X-Cloud-Trace-Context", "").split("/")[0]
    if PROJECT and trace:
        entry["logging.googleapis.com/trace"] = f"projects/{PROJECT}/traces/{trace}"
    level = logging.ERROR if status >= 500 else logging.WARNING if status >= 400 else logging.INFO
    logging.log(level, "%s %s %s", method, path, status, extra={"entry": entry})
