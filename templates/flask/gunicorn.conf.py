import os

bind = f"{os.environ.get('HOST') or '0.0.0.0'}:{os.environ.get('PORT') or '8080'}"

# Cloud Run starts more instances if one process is not enough.
workers = 1
threads = 8

# Cloud Run has a request timeout of its own, and sends SIGKILL ten seconds after SIGTERM.
timeout = 0
graceful_timeout = 8

# After SIGTERM, gunicorn would wait for idle connections too.
keepalive = 0

loglevel = "warning"
control_socket_disable = True
