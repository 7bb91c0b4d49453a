import os

bind = f"{os.environ.get('HOST') or '0.0.0.0'}:{os.environ.get('PORT') or '8080'}"

# Cloud Run starts more instances where one process is not enough.
workers = 1
threads = 8

# Cloud Run ends a request that takes too long, and an instance ten seconds after SIGTERM.
timeout = 0
graceful_timeout = 8

# After SIGTERM, gunicorn would wait for idle connections as it does for requests.
keepalive = 0

loglevel = "warning"
control_socket_disable = True
