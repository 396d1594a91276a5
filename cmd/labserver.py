"""A JupyterLab of this repository for the tests, started as "make lab" does."""
import contextlib
import os
import secrets
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def running(notebooks, *args, env=None):
    """Yields (address, port, token) of a Lab whose folder is notebooks; stops it at the end."""
    port, token = free_port(), secrets.token_hex(16)
    server_env = dict(os.environ, **(env or {}))
    server_env.update(PORT=str(port), BROWSER="0", JUPYTER_TOKEN=token, NOTEBOOKS=str(notebooks))
    log = Path(notebooks).parent / "lab.log"
    with open(log, "wb") as out:
        server = subprocess.Popen(
            [str(ROOT / "jupyter/start.sh"), *args],
            env=server_env, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            deadline = time.monotonic() + 60
            while not answers(address):
                if server.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("JupyterLab did not start:\n" + log.read_text(errors="replace"))
                time.sleep(0.2)
            yield address, port, token
        finally:
            server.send_signal(signal.SIGTERM)  # it shuts its kernels down
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()


def answers(address):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(address + "/api", timeout=2):
            return True
    except OSError:
        return False
