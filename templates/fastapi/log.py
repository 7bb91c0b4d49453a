"""Cloud Logging reads each line of JSON on stdout as a structured log entry:
https://cloud.google.com/logging/docs/structured-logging
"""

import json
import logging
import sys
from typing import TextIO


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        # Python's level names are Cloud Logging's severities. The message includes an exception's
        # traceback, which Error Reporting looks for.
        return json.dumps({"severity": record.levelname, "message": super().format(record)})


def log_json(stream: TextIO = sys.stdout) -> None:
    """Logs as JSON, in the service and in its libraries."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
