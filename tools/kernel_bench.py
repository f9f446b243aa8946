#!/usr/bin/env python3
"""Measures the course's kernel beside stock evcxr_jupyter, in one run and with the same crates.

Stock evcxr_jupyter starts with its default settings in a clean temporary directory of its own, and gets the crates as
`:dep` lines in its first cell: `moments` and `moments-lab` by path, the others at the versions of Cargo.lock.
The course's kernel is the kernelspec `moments` as `cargo course` sets it up. Both download nothing: cargo's registry
cache is filled by one run of each that is not counted.

Three moments are taken from the start of the kernel: it answers, it shows a first result, it shows a first plot.
The two kernels take turns, so that a machine that gets slower or faster meets both.

    python3 tools/kernel_bench.py                 three turns, a table
    python3 tools/kernel_bench.py -n 5 --assert   fails unless start to first plot is at most a third of stock's
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 1 / 3
SEEN = ["moments", "moments-lab", "ndarray", "plotters", "rand"]

FIRST_RESULT = """\
use ndarray::array;
let gradient = array![1.0, 2.0];
gradient.sum()"""
FIRST_PLOT = """\
use moments::Adam;
use moments_lab::{objective::Square, plot::Figure, run};
let trace = run(&Square, &[3.0], Adam { lr: 0.1, ..Adam::default() }, 100).unwrap();
Figure::lines("Loss of Adam", "The loss falls from 9 and swings through zero.")
    .x("step t")
    .y("loss")
    .series("Adam", trace.series(|s| s.loss))"""


def course_paths():
    """The paths that the kernelspec names, so that this script knows no rule about where things are."""
    jupyter = ROOT / ".course/share/jupyter"
    spec = jupyter / "kernels/moments/kernel.json"
    if not spec.is_file():
        sys.exit("The kernel is not set up: run `cargo course kernel setup` first.")
    cache = Path(json.loads(spec.read_text(encoding="utf-8"))["env"]["MOMENTS_CACHE_DIR"])
    return jupyter, cache


def in_the_courses_python():
    """Starts this script again with the course's Python when this one lacks jupyter_client."""
    try:
        import jupyter_client  # noqa: F401
    except ImportError:
        folder = "Scripts/python.exe" if os.name == "nt" else "bin/python"
        python = ROOT / ".course/venv" / folder
        if not python.is_file() or Path(sys.executable) == python:
            sys.exit("jupyter_client is not installed: run `cargo course kernel setup` first.")
        sys.exit(subprocess.call([str(python), __file__, *sys.argv[1:]]))


def stock_program(cache):
    name = "evcxr_jupyter.exe" if os.name == "nt" else "evcxr_jupyter"
    cached = cache / "tools/bin" / name
    program = str(cached) if cached.is_file() else shutil.which(name)
    if not program:
        sys.exit("evcxr_jupyter is not installed: run `cargo course kernel setup` first.")
    return program


def dep_lines():
    """The crates that the course's kernel sees, as the `:dep` lines of a notebook on the stock kernel."""
    text = subprocess.check_output(
        ["cargo", "metadata", "--format-version=1", "--locked"], cwd=ROOT, text=True
    )
    metadata = json.loads(text)
    packages = {package["id"]: package for package in metadata["packages"]}
    lab = next(p for p in metadata["packages"] if p["name"] == "moments-lab")
    node = next(n for n in metadata["resolve"]["nodes"] if n["id"] == lab["id"])
    found = {"moments-lab": lab} | {
        packages[dep["pkg"]]["name"]: packages[dep["pkg"]] for dep in node["deps"]
    }
    asked = {dep["name"]: dep for dep in lab["dependencies"]}
    lines = []
    for name in SEEN:
        package = found[name]
        if package["source"] is None:
            folder = Path(package["manifest_path"]).parent.as_posix()
            lines.append(f':dep {name} = {{ path = "{folder}" }}')
        else:
            features = json.dumps(asked[name]["features"])
            default = "true" if asked[name]["uses_default_features"] else "false"
            lines.append(
                f':dep {name} = {{ version = "={package["version"]}", '
                f"default-features = {default}, features = {features} }}"
            )
    return "\n".join(lines)


class Kernel:
    """A kernel started through Jupyter's own client, from a kernelspec folder."""

    def __init__(self, kernel_dir, name, environment):
        from jupyter_client import KernelManager
        from jupyter_client.kernelspec import KernelSpecManager

        specs = KernelSpecManager(kernel_dirs=[str(kernel_dir)], ensure_native_kernel=False)
        self.manager = KernelManager(kernel_name=name, kernel_spec_manager=specs)
        self.began = time.monotonic()
        with open(os.devnull, "w") as null:
            self.manager.start_kernel(env=environment, cwd=str(ROOT), stdout=null, stderr=null)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=900)

    def elapsed(self):
        return time.monotonic() - self.began

    def execute(self, code, mime):
        """Executes a cell; it must show something of this MIME type."""
        shown, problems = set(), []

        def hook(message):
            content = message["content"]
            shown.update(content.get("data", {}))
            if message["msg_type"] == "error":
                problems.append("\n".join(content["traceback"]))

        reply = self.client.execute_interactive(
            code, timeout=900, output_hook=hook, store_history=False
        )
        if reply["content"]["status"] != "ok" or mime not in shown:
            sys.exit(f"The cell showed no {mime}:\n{code}\n" + "\n".join(problems))

    def end(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=False)


def measure(kernel_dir, name, environment, prefix):
    kernel = Kernel(kernel_dir, name, environment)
    try:
        ready = kernel.elapsed()
        kernel.execute(prefix + FIRST_RESULT, "text/plain")
        result = kernel.elapsed()
    finally:
        kernel.end()
    # The plot is the first cell of a kernel of its own: it must not profit from the result before it.
    kernel = Kernel(kernel_dir, name, environment)
    try:
        kernel.execute(prefix + FIRST_PLOT, "image/svg+xml")
        plot = kernel.elapsed()
    finally:
        kernel.end()
    return {"kernel answers": ready, "first result": result, "first plot": plot}


def measure_stock(program, prefix):
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "kernels/stock/kernel.json"
        spec.parent.mkdir(parents=True)
        (Path(folder) / "tmp").mkdir()
        (Path(folder) / "config").mkdir()
        spec.write_text(
            json.dumps(
                {
                    "argv": [program, "--control_file", "{connection_file}"],
                    "display_name": "stock",
                    "language": "rust",
                    "interrupt_mode": "message",
                }
            ),
            encoding="utf-8",
        )
        # An empty configuration directory: a user's own settings are not the default ones.
        environment = dict(
            os.environ,
            EVCXR_CONFIG_DIR=str(Path(folder) / "config"),
            TMPDIR=str(Path(folder) / "tmp"),
            TEMP=str(Path(folder) / "tmp"),
        )
        environment.pop("EVCXR_TMPDIR", None)
        return measure(Path(folder) / "kernels", "stock", environment, prefix + "\n")


def measure_ours(jupyter):
    return measure(jupyter / "kernels", "moments", dict(os.environ), "")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("-n", type=int, default=3, help="turns that are counted")
    parser.add_argument(
        "--assert",
        dest="check",
        action="store_true",
        help="fail unless start to first plot is at most a third of stock's",
    )
    options = parser.parse_args()
    if options.n < 1:
        parser.error("-n takes a positive number")
    in_the_courses_python()
    jupyter, cache = course_paths()
    program, prefix = stock_program(cache), dep_lines()

    turns = {"stock": [], "moments": []}
    for turn in range(options.n + 1):
        for name, run in [
            ("stock", lambda: measure_stock(program, prefix)),
            ("moments", lambda: measure_ours(jupyter)),
        ]:
            seconds = run()
            told = ", ".join(f"{what} {value:.2f}" for what, value in seconds.items())
            print(f"{'not counted' if turn == 0 else f'turn {turn}'}: {name}: {told}", flush=True)
            if turn > 0:
                turns[name].append(seconds)

    print(f"\n{platform.platform()}, {os.cpu_count()} cores, median of {options.n}, seconds from the kernel's start\n")
    print("| until | stock evcxr_jupyter | Rust (Moments) | ratio |")
    print("|---|---:|---:|---:|")
    ratios = {}
    for what in turns["stock"][0]:
        stock, ours = (
            statistics.median(turn[what] for turn in turns[name]) for name in ("stock", "moments")
        )
        ratios[what] = ours / stock
        print(f"| {what} | {stock:.2f} | {ours:.2f} | {ratios[what]:.2f} |")
    if options.check and ratios["first plot"] > LIMIT:
        sys.exit(f"\nStart to first plot takes {ratios['first plot']:.2f} of stock's time; the limit is {LIMIT:.2f}.")


if __name__ == "__main__":
    main()
