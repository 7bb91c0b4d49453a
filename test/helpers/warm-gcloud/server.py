"""gcloud's own Python, which has loaded what gcloud's commands load, and forks for each run of gcloud: server.py SOCKET SDK_ROOT"""

import atexit
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import tempfile
import traceback

# Less than a pipe holds, so that whoever ends never waits for a reader.
MOST_NAMES = 60_000


def serve(path):
    door = socket.socket(socket.AF_UNIX)
    door.bind(path)
    door.listen(64)
    ended, ends = socket.socketpair()
    ends.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(ends.fileno(), warn_on_full_buffer=False)
    poll = select.poll()
    poll.register(door, select.POLLIN)
    poll.register(ended, select.POLLIN)
    runs = {}
    print("ready", flush=True)
    while True:
        numbers = {number for number, _ in poll.poll()}
        for pid in [pid for pid, (caller, _) in runs.items() if caller.fileno() in numbers]:
            # Whoever asked for it is gone.
            poll.unregister(runs[pid][0])
            os.kill(pid, signal.SIGTERM)
        if ended.fileno() in numbers:
            ended.recv(1 << 16)
            end_runs(poll, runs)
        # Who comes in takes a number that has become free, and so is the last.
        if door.fileno() in numbers:
            begin_run(door, poll, runs)


def begin_run(door, poll, runs):
    caller, _ = door.accept()
    names, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.close(names)
        run(caller, told)
    os.close(told)
    runs[pid] = (caller, names)
    poll.register(caller, select.POLLRDHUP)


def end_runs(poll, runs):
    while runs:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        caller, names = runs.pop(pid)
        try:
            poll.unregister(caller)
        except KeyError:
            pass
        tell(caller, os.waitstatus_to_exitcode(status))
        caller.close()
        with os.fdopen(names) as stream:
            load(stream.read().split())


def tell(caller, code):
    try:
        caller.sendall(b"%d\n" % code)
    except OSError:
        pass  # It went away in this very moment.


def load(names):
    """What a run has loaded is there for the next."""
    for name in names:
        try:
            importlib.import_module(name)
        except Exception:
            traceback.print_exc()


def run(caller, told):
    known = set(sys.modules)
    head, files, _, _ = socket.recv_fds(caller, 1 << 16, 3)
    length, _, text = head.partition(b"\n")
    while len(text) < int(length):
        text += caller.recv(1 << 16)
    request = json.loads(text)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(request["cwd"])
    os.umask(request["umask"])
    os.environ.clear()
    os.environ.update(request["env"])
    forget()
    sys.argv = request["argv"]
    caller.sendall(b"%d\n" % os.getpid())
    code = 1
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    mine = [name for name in sys.modules if name not in known and name.startswith("googlecloudsdk.")]
    os.write(told, " ".join(mine).encode()[:MOST_NAMES])
    os._exit(code)


def forget():
    """What was read of the environment when the modules were loaded."""
    from googlecloudsdk.core.configurations import named_configs
    from googlecloudsdk.core.console import console_attr

    console_attr.ResetConsoleAttr()
    named_configs.ActivePropertiesFile.Invalidate()
    tempfile.tempdir = None


if __name__ == "__main__":
    _, path, root = sys.argv
    library = os.path.join(root, "lib")
    sys.path[:0] = [os.path.join(library, "third_party"), library]
    import googlecloudsdk.gcloud_main

    serve(path)
