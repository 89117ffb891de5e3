"""Starts the local AWS: `python -m overlay --port 0`.

The first line on standard output is JSON: `{"port": ..., "smtpPort": ...}` once requests are answered, or `{"error": ...,
"message": ...}`. The process ends, with everything that it started, when its standard input ends: that happens when the
process that started it closes the pipe or dies, however it dies.
"""
import argparse
import json
import logging
import os
import re
import shutil
import signal
import socket
import sys
import tempfile
import threading
import traceback

HOST = "127.0.0.1"
_DATA_PREFIX = "bulkhead-aws-"


def _say(message):
    print(json.dumps(message), flush=True)


def _listen(port):
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if os.name == "posix":
        # A port in the state TIME_WAIT is free; on Windows the option would let two servers share a port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, port))
    listener.listen(512)
    return listener


def _environment(port, data_dir):
    """MiniStack reads its settings from the environment when it is imported."""
    os.environ.update(
        GATEWAY_PORT=str(port),
        MINISTACK_HOST="localhost",
        AUTH="true",
        LAMBDA_EXECUTOR="local",
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        PERSIST_STATE="0",
        LOG_LEVEL="WARNING",
        # A socket that does not exist: the user's containers are none of our business.
        DOCKER_HOST=f"unix://{data_dir}/no-docker.sock",
        TMPDIR=data_dir,
    )
    tempfile.tempdir = data_dir


def _discard_abandoned():
    """Removes the folders of emulators that were killed and could not do so themselves."""
    if os.name != "posix":
        return  # There, looking whether a process lives would end it.
    for name in os.listdir(tempfile.gettempdir()):
        owner = re.fullmatch(re.escape(_DATA_PREFIX) + r"(\d+)-\w+", name)
        if owner and not _is_alive(int(owner[1])):
            shutil.rmtree(os.path.join(tempfile.gettempdir(), name), ignore_errors=True)


def _is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _end(data_dir, code):
    """Removes the temporary files and ends this process with all of its children."""
    shutil.rmtree(data_dir, ignore_errors=True)
    if os.name == "posix" and os.getpgrp() == os.getpid():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.killpg(0, signal.SIGTERM)
    os._exit(code)


def _serve(listener, lambda_endpoint_url):
    # MiniStack warns at its import that it cannot sign with KMS keys, which nothing here does.
    logging.getLogger("kms").setLevel(logging.ERROR)
    from overlay import server  # Imports MiniStack, which needs the environment set before.

    stopping = server.Stop()

    def watch_parent():
        while sys.stdin.buffer.read(4096):
            pass
        stopping.ask()

    threading.Thread(target=watch_parent, daemon=True, name="parent-watch").start()
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: stopping.ask())
    server.run(listener, lambda_endpoint_url, stopping, _say)


def main():
    parser = argparse.ArgumentParser(prog="overlay", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="TCP port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--data-dir", help="folder for temporary files, removed at the end")
    parser.add_argument("--lambda-endpoint-url", help="what functions find in AWS_ENDPOINT_URL")
    options = parser.parse_args()

    try:
        listener = _listen(options.port)
    except OSError as error:
        _say({"error": "port-in-use", "message": str(error)})
        sys.exit(2)
    port = listener.getsockname()[1]
    _discard_abandoned()
    data_dir = options.data_dir or tempfile.mkdtemp(prefix=f"{_DATA_PREFIX}{os.getpid()}-")
    os.makedirs(data_dir, exist_ok=True)
    _environment(port, data_dir)

    code = 0
    try:
        _serve(listener, options.lambda_endpoint_url)
    except Exception:
        traceback.print_exc()
        code = 1
    _end(data_dir, code)


if __name__ == "__main__":
    main()
