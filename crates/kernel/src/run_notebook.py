"""Runs a notebook from its first to its last cell on a real kernel.

One JSON object per line on standard output: "ready", "cell" (id, seconds), then "done" or "failed".
The exit code is 0 only after "done".
"""

import argparse
import json
import queue
import re
import sys
import time
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import NoSuchKernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbclient.util import run_sync

ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def say(**event):
    print(json.dumps(event), flush=True)


def joined(text):
    return text if isinstance(text, str) else "".join(text)


def error_outputs(cell):
    """The error outputs of a cell as text, and what it wrote to standard error when it panicked."""
    shown = []
    for output in cell.get("outputs", []):
        if output.output_type == "error":
            lines = output.get("traceback") or [output.get("evalue", "")]
            shown.append("\n".join(lines) or output.get("ename", "error"))
    stderr = "".join(
        joined(output.text)
        for output in cell.get("outputs", [])
        if output.output_type == "stream" and output.name == "stderr"
    )
    if "panicked at" in stderr:
        shown.insert(0, stderr)
    return ANSI.sub("", "\n".join(shown)).strip()


def late_output(client, cell, index):
    """What the kernel prints may arrive after it has said that it is idle: evcxr reads its child's output aside."""

    async def read():
        while True:
            try:
                message = await client.kc.get_iopub_msg(timeout=0.1)
            except queue.Empty:
                return
            if message["msg_type"] == "stream":
                client.process_message(message, cell, index)

    run_sync(read)()


def run(options):
    path = Path(options.notebook)
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        notebook,
        kernel_name=options.kernel,
        timeout=options.cell_timeout,
        startup_timeout=options.start_timeout,
        resources={"metadata": {"path": str(path.resolve().parent)}},
        force_raise_errors=True,
        shutdown_kernel="graceful",
    )
    began = time.monotonic()
    current, executed = None, 0
    try:
        with client.setup_kernel():
            say(event="ready", seconds=time.monotonic() - began)
            for index, cell in enumerate(notebook.cells):
                if cell.cell_type != "code" or not cell.source.strip():
                    continue
                current, started = cell.id, time.monotonic()
                client.execute_cell(cell, index)
                late_output(client, cell, index)
                problem = error_outputs(cell)
                if problem:
                    return f"cell {current} failed:\n{problem}"
                if cell.execution_count is None:
                    return f"cell {current} was sent, but the kernel never executed it"
                executed += 1
                say(event="cell", id=current, seconds=time.monotonic() - started)
    except CellTimeoutError:
        return f"cell {current} ran for more than {options.cell_timeout} seconds"
    except DeadKernelError:
        return f"the kernel died while it executed cell {current}"
    except CellExecutionError as error:
        failed = next((cell for cell in notebook.cells if cell.id == current), {})
        return f"cell {current} failed:\n{error_outputs(failed) or ANSI.sub('', str(error))}"
    except NoSuchKernel:
        return f"there is no kernel named {options.kernel}: run `cargo course` to set it up"
    except RuntimeError as error:
        return f"the kernel did not start: {error}"
    finally:
        if options.write:
            written = Path(options.write)
            partial = written.with_name(written.name + ".partial")
            nbformat.write(notebook, partial)
            partial.replace(written)
    if executed == 0:
        return "no code cell was executed"
    say(event="done", seconds=time.monotonic() - began, cells=executed)
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("notebook")
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--cell-timeout", type=float, required=True)
    parser.add_argument("--start-timeout", type=float, required=True)
    parser.add_argument("--write")
    problem = run(parser.parse_args())
    if problem:
        say(event="failed", message=problem)
        sys.exit(1)


if __name__ == "__main__":
    main()
