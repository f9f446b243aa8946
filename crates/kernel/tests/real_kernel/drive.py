"""Kernels driven through Jupyter's own client, for the tests: `python drive.py SPEC_FOLDER SCENARIO [ARGUMENTS]`.

SPEC_FOLDER holds a folder `kernels` with the kernelspecs. A scenario that does not hold ends with an exception.
"""

import os
import queue
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
from jupyter_client import BlockingKernelClient, KernelManager
from jupyter_client.kernelspec import KernelSpecManager

PATIENCE = 900
ENDLESS = "loop { std::hint::spin_loop() }"


class Kernel:
    def __init__(self, specs, name="moments"):
        manager = KernelSpecManager(kernel_dirs=[str(Path(specs) / "kernels")], ensure_native_kernel=False)
        self.manager = KernelManager(kernel_name=name, kernel_spec_manager=manager)
        self.manager.start_kernel()
        self.connect()

    def connect(self):
        self.client = self.manager.client()
        self.client.start_channels()

    def wait(self):
        self.client.wait_for_ready(timeout=PATIENCE)
        return self

    def send(self, code):
        return Cell(self.client, self.client.execute(code))

    def run(self, code):
        return self.send(code).end()

    def launcher(self):
        return self.manager.provisioner.process.pid

    def processes(self):
        """The kernel's own process, and the one that runs cells."""
        for _ in range(600):
            for kernel in psutil.Process(self.launcher()).children():
                children = kernel.children() if kernel.name() == "evcxr_jupyter" else []
                cells = [child for child in children if child.name() == "evcxr_jupyter"]
                if cells:
                    return kernel.pid, cells[0].pid
            time.sleep(0.1)
        raise AssertionError("the kernel has no process that runs cells")

    def end(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel()


class Cell:
    """A cell that was sent. `stream` is what it printed so far, `shown` the data of its results, `errors` what failed."""

    def __init__(self, client, id):
        self.client, self.id, self.sent = client, id, time.monotonic()
        self.stream = {"stdout": "", "stderr": ""}
        self.shown, self.errors, self.status = {}, [], None

    def follow(self, until, seconds=PATIENCE):
        """Reads what the kernel says until something holds, and tells how long that took."""
        began = time.monotonic()
        while not until(self):
            assert time.monotonic() - began < seconds, f"after {seconds} s: {self.stream} {self.errors}"
            try:
                message = self.client.get_iopub_msg(timeout=0.05)
            except queue.Empty:
                continue
            if message["parent_header"].get("msg_id") != self.id:
                continue
            content = message["content"]
            match message["msg_type"]:
                case "stream":
                    self.stream[content["name"]] += content["text"]
                case "execute_result":
                    self.shown.update(content["data"])
                case "error":
                    self.errors.append("\n".join(content["traceback"]))
                case "status":
                    self.status = content["execution_state"]
        return time.monotonic() - began

    def end(self, seconds=PATIENCE):
        self.follow(lambda cell: cell.status == "idle", seconds)
        # The kernel reads what its child prints aside, so that the last lines may be late.
        patience = time.monotonic() + 0.2
        self.status = None
        self.follow(lambda cell: time.monotonic() > patience)
        return self

    def text(self):
        assert not self.errors, self.errors
        return self.shown.get("text/plain")


def turns(specs, count):
    """One kernel after the other."""
    for number in range(int(count)):
        kernel = Kernel(specs).wait()
        assert kernel.run(f"{number} + 1").text() == str(number + 1)
        kernel.end()


def together(specs, count):
    """Many kernels at once. One is killed in the middle of a cell; the others, and its own restart, do not notice."""
    kernels = [Kernel(specs) for _ in range(int(count))]
    for number, kernel in enumerate(kernels):
        kernel.wait()
        assert kernel.run(f"let number = {number}; number").text() == str(number)
    killed, *others = kernels
    kernel, _ = killed.processes()
    killed.send(ENDLESS).follow(lambda cell: cell.status == "busy")
    time.sleep(1.5)
    os.kill(kernel, signal.SIGKILL)
    for number, kernel in enumerate(others, start=1):
        assert kernel.run("number").text() == str(number)
    killed.client.stop_channels()
    killed.manager.restart_kernel(now=True)
    killed.connect()
    assert killed.wait().run("1 + 1").text() == "2"
    for kernel in kernels:
        kernel.end()


def moved(specs, place, other_place):
    """The clone gets another name while a kernel of it runs."""
    kernel = Kernel(specs).wait()
    os.rename(place, other_place)
    assert kernel.run("1 + 1").text() == "2"
    kernel.end()


def launcher_killed(specs):
    """The launcher alone is killed, while a cell runs that has no end. Prints what must be gone soon after."""
    kernel = Kernel(specs).wait()
    pids = [kernel.launcher(), *kernel.processes()]
    kernel.send(ENDLESS).follow(lambda cell: cell.status == "busy")
    time.sleep(1.5)
    os.kill(kernel.launcher(), signal.SIGKILL)
    print(*pids)
    kernel.client.stop_channels()


def still(kernel, code, expected):
    cell = kernel.run(code)
    assert cell.text() == expected, (cell.shown, cell.stream)


LONG_RUN = """\
use moments::Adam;
use moments_lab::prelude::*;
let trace = run_with(&[3.0], Adam::default(), 1_000_000, |_, x| {
    std::thread::sleep(std::time::Duration::from_millis(1));
    (x[0] * x[0], vec![2.0 * x[0]])
}).unwrap();"""


def interrupt(specs):
    """A training loop tells how far it is, ends within a second of Jupyter's interrupt, and nothing is lost."""
    kernel = Kernel(specs).wait()
    kernel.run("let before = 41;")
    cell = kernel.send(LONG_RUN)
    cell.follow(lambda cell: cell.stream["stdout"].count("\n") >= 2)
    line = cell.stream["stdout"].splitlines()[0]
    assert line.startswith("Adam: step ") and " of 1000000, loss " in line and line.endswith(" steps/s"), line
    kernel.manager.interrupt_kernel()
    seconds = cell.follow(lambda cell: cell.status == "idle")
    assert seconds < 1.0, f"the run ended {seconds} s after the interrupt"
    print(f"interrupted after {seconds:.2f} s", line, sep="\n")
    still(kernel, "before + 1", "42")
    still(kernel, "trace.len() > 100 && trace.stopped.is_some()", "true")
    # The next run is not interrupted by what was pressed before it.
    still(kernel, "run(&Square, &[3.0], Adam::default(), 2000).unwrap().len()", "2000")

    # A cell without such a loop cannot be ended in good order: the page says so, and a second press ends it.
    cell = kernel.send("std::thread::sleep(std::time::Duration::from_secs(600));")
    time.sleep(3)
    kernel.manager.interrupt_kernel()
    told = cell.follow(lambda cell: "interrupt once more" in cell.stream["stderr"], 5)
    assert told < 2.0, told
    print(cell.stream["stderr"])
    assert not cell.errors
    kernel.manager.interrupt_kernel()
    cell.follow(lambda cell: cell.errors, 5)
    print(cell.errors)
    cell.follow(lambda cell: cell.status == "idle", 60)
    assert kernel.run("before").errors, "a variable outlived the process that held it"
    still(kernel, "1 + 1", "2")

    # Where no cell computes, nothing is ended however often one presses.
    kernel.run("let after = 7;")
    for _ in range(3):
        kernel.manager.interrupt_kernel()
        time.sleep(1.2)
    still(kernel, "after", "7")
    kernel.end()


def panics(specs):
    """A panic is an error, told in a few lines that say what is lost."""
    kernel = Kernel(specs).wait()
    kernel.run("let kept = 1;")
    for code in ["let empty: Vec<f64> = Vec::new(); empty[7]", 'moments_lab::Table::new("t"); panic!("on purpose")']:
        cell = kernel.run(code)
        assert cell.errors, "a panic passed for a success"
        told = cell.stream["stderr"]
        print(told, cell.errors)
        assert "panicked at" in told and "variables of the notebook are lost" in told, told
        assert len(told.splitlines()) <= 3, told
        # It goes on, with a new process.
        assert kernel.run("kept").errors
    kernel.end()


def vscode(specs):
    """The order of VS Code: it starts the process itself, asks for kernel_info at once, and listens after that."""
    from jupyter_client.connect import write_connection_file
    import json

    spec = json.loads((Path(specs) / "kernels/moments/kernel.json").read_text())
    file, _ = write_connection_file(key=b"a key")
    argv = [part.replace("{connection_file}", file) for part in spec["argv"]]
    process = subprocess.Popen(argv, env={**os.environ, **spec["env"]}, stdin=subprocess.DEVNULL)
    client = BlockingKernelClient(connection_file=file)
    client.load_connection_file()
    try:
        client.shell_channel.start()
        asked = client.kernel_info()
        reply = client.get_shell_msg(timeout=PATIENCE)
        assert reply["parent_header"]["msg_id"] == asked
        assert reply["content"]["language_info"]["name"] == "Rust", reply
        client.control_channel.start()
        client.iopub_channel.start()
        client.stdin_channel.start()
        client.hb_channel.start()
        # It asks until it has heard that the kernel is idle.
        for _ in range(50):
            client.kernel_info()
            try:
                while client.get_iopub_msg(timeout=0.5)["content"].get("execution_state") != "idle":
                    pass
                break
            except queue.Empty:
                pass
        else:
            raise AssertionError("the kernel never said that it is idle")
        client.comm_info()
        code = "use moments_lab::prelude::*; Figure::lines(\"A\", \"B.\").series(\"c\", vec![(0.0, 0.0), (1.0, 1.0)])"
        cell = Cell(client, client.execute(code, silent=False, store_history=True, allow_stdin=True, stop_on_error=True)).end()
        assert "image/svg+xml" in cell.shown, (cell.shown, cell.errors)
        client.complete("Fig", 3)
        # The interrupt goes to the process, not to its group.
        run = Cell(client, client.execute(LONG_RUN))
        run.follow(lambda cell: "steps/s" in cell.stream["stdout"])
        process.send_signal(signal.SIGINT)
        seconds = run.follow(lambda cell: cell.status == "idle")
        assert seconds < 1.0, seconds
        assert Cell(client, client.execute("trace.is_empty()")).end().text() == "false"
        client.shutdown()
        process.wait(timeout=20)
    finally:
        client.stop_channels()
        if process.poll() is None:
            process.kill()
        os.unlink(file)


if __name__ == "__main__":
    _, specs, scenario, *arguments = sys.argv
    globals()[scenario](specs, *arguments)
