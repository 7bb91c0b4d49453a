"""Stands in for gcloud's Python, and has the one that runs already do the work: python.py SOCKET PYTHON ARGUMENT..."""

import json
import os
import signal
import socket
import sys

_, path, python, *arguments = sys.argv
server = socket.socket(socket.AF_UNIX)
try:
    server.connect(path)
except OSError:
    os.execv(python, [python, *arguments])

# The interpreter's own flags come first, and are the server's.
while arguments[0].startswith("-"):
    arguments = arguments[1:]
umask = os.umask(0)
os.umask(umask)
request = json.dumps({"argv": arguments, "cwd": os.getcwd(), "umask": umask, "env": dict(os.environ)}).encode()
socket.send_fds(server, [b"%d\n" % len(request)], [0, 1, 2])
server.sendall(request)
answers = server.makefile()
pid = int(answers.readline())
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, lambda received, _: os.kill(pid, received))
code = int(answers.readline())
if code < 0:
    signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
sys.exit(code)
