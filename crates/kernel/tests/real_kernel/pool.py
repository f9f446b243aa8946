"""The pool in a real JupyterLab, for the tests: `python pool.py FOLDER`.

FOLDER is an empty folder for notebooks and for what Jupyter writes down. Everything that is started carries a mark in its
environment, by which it is found again.
"""

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
from drive import Cell
from jupyter_client import BlockingKernelClient

MARK = "MOMENTS_TEST_MARK"
PATIENCE = 600


def wait(what, until, seconds=PATIENCE):
    began = time.monotonic()
    while not (found := until()):
        assert time.monotonic() - began < seconds, f"{what}: not within {seconds} s"
        time.sleep(0.05)
    return found


SERVERS = []


class Server:
    def __init__(self, folder, **settings):
        self.folder = Path(folder)
        self.folder.mkdir(exist_ok=True)
        self.mark = f"{os.getpid()}-{time.monotonic_ns()}"
        self.runtime = self.folder / "runtime"
        self.runtime.mkdir(exist_ok=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        environment = dict(
            os.environ,
            JUPYTER_RUNTIME_DIR=str(self.runtime),
            JUPYTER_TOKEN="token",
            MOMENTS_POOL_FOLDER=str(self.folder),
            **{MARK: self.mark},
            **settings,
        )
        self.log = open(self.folder / "log", "w")
        self.process = subprocess.Popen(
            [
                Path(sys.executable).with_name("jupyter-lab"),
                "--no-browser",
                "--allow-root",
                f"--ServerApp.port={self.port}",
                "--ServerApp.port_retries=0",
                f"--ServerApp.root_dir={self.folder}",
            ],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        SERVERS.append(self.process)
        wait("JupyterLab answers", self.answers)

    def answers(self):
        try:
            return self.ask("GET", "status")
        except OSError:
            return None

    def ask(self, method, path, body=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": "token token"},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            text = answer.read()
        return json.loads(text) if text else True

    def waiting(self):
        """The launchers of the kernels that wait, by the note for `cargo course status`."""
        try:
            return [kernel["pid"] for kernel in json.loads((self.runtime / "moments-pool.json").read_text())]
        except FileNotFoundError:
            return []

    def one_waits(self):
        """Waits until a kernel waits and answers; tells its launcher."""

        def answers():
            files = list(self.runtime.glob("moments-pool-*.json"))
            waiting = self.waiting()
            # The files of kernels that were given away are there as well, until those end.
            return waiting if len(waiting) == 1 and all(map(answered, files)) else None

        [launcher] = wait("a kernel waits", answers)
        return launcher

    def marked(self):
        """Everything that runs on behalf of this server, and itself."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.status() != psutil.STATUS_ZOMBIE and process.environ().get(MARK) == self.mark:
                    found.append(process)
            except psutil.Error:
                pass
        return found

    def start(self, name="moments"):
        return Notebook(self, self.ask("POST", "kernels", {"name": name, "path": ""})["id"])

    def gone(self, how):
        """The end of the server is the end of everything."""
        started = self.marked()
        assert len(started) >= 1
        folders = kernel_folders(started)
        self.process.send_signal(how)
        self.process.wait(timeout=30)
        try:
            wait("everything has ended", lambda: not self.marked(), 20)
        except AssertionError:
            raise AssertionError(f"left: {[(p.pid, p.cmdline()) for p in self.marked()]}") from None
        wait("no directory of a kernel is left", lambda: not any(folder.exists() for folder in folders), 5)
        self.log.close()
        return len(folders)


def connect(file):
    """A client of a kernel that answers. A kernel that starts on a busy machine misses heartbeats, so nobody listens to them."""
    client = BlockingKernelClient(connection_file=str(file))
    client.load_connection_file()
    client.start_channels(hb=False)
    return client


def ask_kernel_info(client, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        client.kernel_info()
        try:
            client.get_shell_msg(timeout=1)
        except queue.Empty:
            continue
        return True
    return False


def answered(file):
    try:
        client = connect(file)
    except (OSError, ValueError):
        return False
    try:
        return ask_kernel_info(client, 2)
    finally:
        client.stop_channels()


def kernel_folders(processes):
    found = set()
    for process in processes:
        try:
            if file := process.environ().get("MOMENTS_INTERRUPT_FILE"):
                found.add(Path(file).parent)
        except psutil.Error:
            pass
    return found


class Notebook:
    """A kernel of the server, as a notebook uses it."""

    def __init__(self, server, id):
        self.server, self.id = server, id
        self.connect()

    def connect(self):
        self.client = connect(self.server.runtime / f"kernel-{self.id}.json")
        assert ask_kernel_info(self.client, PATIENCE), "the kernel does not answer"

    def run(self, code):
        return Cell(self.client, self.client.execute(code)).end()

    def restart(self):
        self.client.stop_channels()
        self.server.ask("POST", f"kernels/{self.id}/restart", {})
        self.connect()


def told(what, began):
    print(f"{what}: {time.monotonic() - began:.2f} s", flush=True)


def main(folder):
    server = Server(folder)
    launcher = server.one_waits()
    print(f"{psutil.Process(launcher).memory_info().rss // 1_000_000} MB, with children "
          f"{sum(p.memory_info().rss for p in server.marked() if p.pid != server.process.pid) // 1_000_000} MB")

    began = time.monotonic()
    notebook = server.start()
    assert notebook.run("let kept = 20; kept + 1").text() == "21"
    told("from the pool to a first result", began)
    assert launcher not in server.waiting() and psutil.pid_exists(launcher), "the first notebook did not get the waiting kernel"

    # At once, before another one can wait: as Jupyter would.
    began = time.monotonic()
    notebook.restart()
    assert notebook.run("kept").errors, "a restarted kernel kept a variable"
    assert notebook.run("1 + 1").text() == "2"
    told("restarted without a kernel that waits", began)
    assert not psutil.pid_exists(launcher) or psutil.Process(launcher).status() == psutil.STATUS_ZOMBIE

    launcher = server.one_waits()
    began = time.monotonic()
    notebook.restart()
    assert notebook.run("1 + 1").text() == "2"
    told("restarted from the pool", began)
    assert launcher not in server.waiting() and psutil.pid_exists(launcher)

    # One that died while it waited is never given away.
    launcher = server.one_waits()
    time.sleep(6)
    [kernel] = [child for child in psutil.Process(launcher).children() if child.name() == "evcxr_jupyter"]
    os.kill(kernel.pid, signal.SIGKILL)
    began = time.monotonic()
    notebook.restart()
    assert notebook.run("2 + 2").text() == "4"
    told("restarted when the kernel that waited had been killed", began)

    # The other kernel of the course.
    other = server.start("moments-nalgebra")
    assert not other.run("use nalgebra::DMatrix; let one = DMatrix::<f64>::identity(2, 2);").errors
    server.one_waits()
    began = time.monotonic()
    other.restart()
    assert other.run("nalgebra::DMatrix::<f64>::identity(2, 2).trace()").text() == "2.0"
    told("the kernel with nalgebra, restarted from the pool", began)
    server.one_waits()
    # Two notebooks, one of them in an endless cell, and one kernel that waits.
    notebook.client.execute("loop { std::hint::spin_loop() }")
    time.sleep(3)
    count = server.gone(signal.SIGKILL)
    assert count == 3, count
    print("nothing is left after JupyterLab was killed")

    off = Server(Path(folder, "off"), MOMENTS_POOL="0")
    full = Server(Path(folder, "full"), MOMENTS_POOL_FREE_MB="100000000")
    notebook = off.start()
    assert notebook.run("1 + 1").text() == "2"
    time.sleep(14)
    for server in (off, full):
        assert server.waiting() == [], server.waiting()
    assert full.gone(signal.SIGTERM) == 0
    assert off.gone(signal.SIGTERM) == 1
    print("none waits when there is to be none, and none when memory is short")


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    finally:
        for server in SERVERS:
            server.kill()
