#!/usr/bin/env python3
"""Measures the course's kernel beside stock evcxr_jupyter, in one run and with the same crates.

Stock evcxr_jupyter starts with its default settings in a clean temporary directory of its own, and gets the crates as
`:dep` lines in its first cell: `moments` and `moments-lab` by path, the others at the versions of Cargo.lock.
The course's kernel is the kernelspec `moments` as `cargo course` sets it up; with the pool on it is started by a JupyterLab
of its own, through its interface, once a kernel waits. Nothing is downloaded: cargo's registry cache is filled by one run of
each that is not counted.

The kernels take turns, so that a machine that gets slower or faster meets all of them. With --cold, which needs root on
Linux, each turn is done a second time with the system's file cache emptied before each start.

    python3 tools/kernel_bench.py                     three turns, a table
    python3 tools/kernel_bench.py -n 5 --cold         five turns, cold caches and warm
    python3 tools/kernel_bench.py -n 5 --assert       fails where a limit of the table is exceeded
    python3 tools/kernel_bench.py -n 1 --notebooks    the cells of every notebook too: that takes an hour
"""

import argparse
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "crates/kernel/tests/real_kernel"
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


# A cell as a learner writes it beside others, and a plot in a kernel that has shown one.
SMALL_CELL = "let y = x + 1.0; y"
NEXT_PLOT = FIRST_PLOT.replace("0.1", "0.05")
CELLS = 3

# What is measured: the row, the limit in seconds, and the limit as a share of stock's.
RESULT, PLOT = "start to first result", "start to first plot"
ROWS = [
    (f"{RESULT}, pool on", RESULT, 1.0, None),
    ("restart to first result, pool on", RESULT, 1.0, None),
    (f"{RESULT}, pool off", RESULT, None, 0.25),
    (f"{PLOT}, pool on", PLOT, 3.0, None),
    (f"{PLOT}, pool off", PLOT, None, 0.25),
    ("the cell `let y = x + 1.0; y`", None, None, 0.8),
    ("a cell that plots", None, None, 0.8),
]
NOTEBOOKS_LIMIT = 0.6


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


def dep_lines(nalgebra=False):
    """The crates that the course's kernel sees, as the `:dep` lines of a notebook on the stock kernel."""
    more = ["nalgebra"] if nalgebra else []
    text = subprocess.check_output(
        ["cargo", "metadata", "--format-version=1", "--locked", "--features", "moments-lab/nalgebra"], cwd=ROOT, text=True
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
    for name in SEEN + more:
        package = found[name]
        if package["source"] is None:
            folder = Path(package["manifest_path"]).parent.as_posix()
            features = ', features = ["nalgebra"]' if more and name == "moments-lab" else ""
            lines.append(f':dep {name} = {{ path = "{folder}"{features} }}')
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

    def execute(self, code, mime=None):
        """Executes a cell, which must show something of this MIME type if one is given; tells how long it took."""
        return execute(self.client, code, mime)

    def end(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=False)


def execute(client, code, mime):
    shown, problems = set(), []

    def hook(message):
        content = message["content"]
        shown.update(content.get("data", {}))
        if message["msg_type"] == "error":
            problems.append("\n".join(content["traceback"]))

    began = time.monotonic()
    reply = client.execute_interactive(code, timeout=900, output_hook=hook, store_history=False)
    if reply["content"]["status"] != "ok" or (mime and mime not in shown):
        sys.exit(f"The cell failed, or showed no {mime}:\n{code}\n" + "\n".join(problems))
    return time.monotonic() - began


def measure(kernel_dir, name, environment, prefix, suffix, cold):
    """The rows of a kernel without a pool; `suffix` tells them from those with one."""
    empty_file_cache(cold)
    kernel = Kernel(kernel_dir, name, environment)
    try:
        kernel.execute(prefix + FIRST_RESULT, "text/plain")
        result = kernel.elapsed()
        kernel.execute("let x = 1.0;")
        small = statistics.median(kernel.execute(SMALL_CELL, "text/plain") for _ in range(CELLS))
    finally:
        kernel.end()
    # The plot is the first cell of a kernel of its own: it must not profit from the result before it.
    empty_file_cache(cold)
    kernel = Kernel(kernel_dir, name, environment)
    try:
        kernel.execute(prefix + FIRST_PLOT, "image/svg+xml")
        plot = kernel.elapsed()
        later = statistics.median(kernel.execute(NEXT_PLOT, "image/svg+xml") for _ in range(CELLS))
    finally:
        kernel.end()
    return {RESULT + suffix: result, PLOT + suffix: plot, ROWS[5][0]: small, ROWS[6][0]: later}


class Stock:
    """Stock evcxr_jupyter as a kernelspec of its own, with clean folders."""

    def __init__(self, program):
        self.program = program

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        folder = Path(self.folder.name)
        spec = folder / "kernels/stock/kernel.json"
        spec.parent.mkdir(parents=True)
        for name in ("tmp", "config"):
            (folder / name).mkdir()
        spec.write_text(
            json.dumps(
                {
                    "argv": [self.program, "--control_file", "{connection_file}"],
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
            EVCXR_CONFIG_DIR=str(folder / "config"),
            TMPDIR=str(folder / "tmp"),
            TEMP=str(folder / "tmp"),
        )
        environment.pop("EVCXR_TMPDIR", None)
        return folder / "kernels", "stock", environment

    def __exit__(self, *_):
        self.folder.cleanup()


def measure_stock(program, prefix, cold):
    with Stock(program) as (kernels, name, environment):
        return measure(kernels, name, environment, prefix + "\n", "", cold)


def measure_ours(jupyter, cold):
    return measure(jupyter / "kernels", "moments", dict(os.environ), "", ", pool off", cold)


def measure_pool(server, cold):
    """The rows of a kernel that waited: each time another one has to be ready first."""
    from pool import Notebook

    def ready():
        server.one_waits()
        time.sleep(3)
        empty_file_cache(cold)
        return time.monotonic()

    began = ready()
    one = server.start()
    execute(one.client, FIRST_RESULT, "text/plain")
    result = time.monotonic() - began
    began = ready()
    one.restart()
    execute(one.client, FIRST_RESULT, "text/plain")
    restart = time.monotonic() - began
    began = ready()
    two = server.start()
    execute(two.client, FIRST_PLOT, "image/svg+xml")
    plot = time.monotonic() - began
    for notebook in (one, two):
        assert isinstance(notebook, Notebook)
        notebook.client.stop_channels()
        server.ask("DELETE", f"kernels/{notebook.id}")
    return {ROWS[0][0]: result, ROWS[1][0]: restart, ROWS[3][0]: plot}


def empty_file_cache(cold):
    if cold:
        os.sync()
        Path("/proc/sys/vm/drop_caches").write_text("3\n", encoding="ascii")


def pool_server(folder):
    """A JupyterLab with the course's settings, and with notebooks in `folder`."""
    sys.path.insert(0, str(TESTS))
    from pool import Server

    course = ROOT / ".course"
    for name, value in {
        "JUPYTER_PATH": course / "share/jupyter",
        "JUPYTER_CONFIG_DIR": course / "jupyter/config",
        "JUPYTER_DATA_DIR": Path(folder) / "data",
        "JUPYTER_PLATFORM_DIRS": "1",
    }.items():
        os.environ[name] = str(value)
    return Server(folder, MOMENTS_POOL="1")


def table(turns, title):
    """Prints the medians; true if every limit is kept."""
    seconds = {
        name: statistics.median(turn[name] for turn in turns if name in turn)
        for name in {name for turn in turns for name in turn}
    }
    print(f"\n{platform.platform()}, {os.cpu_count()} cores, median of {len(turns)}, {title}, seconds\n")
    print("| what | stock evcxr_jupyter | Rust (Moments) | share | limit | |")
    print("|---|---:|---:|---:|---:|---|")
    kept = True
    for name, stock_name, most, share in ROWS:
        stock = seconds[stock_name or f"{name}, stock"]
        ours = seconds[name]
        holds = ours <= most if most else ours <= share * stock
        kept &= holds
        limit = f"{most:.0f} s" if most else f"{share:.2f}"
        print(f"| {name} | {stock:.2f} | {ours:.2f} | {ours / stock:.2f} | {limit} | {'kept' if holds else 'EXCEEDED'} |")
    sys.stdout.flush()
    return kept


def cells_of(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    sources = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return notebook["metadata"]["kernelspec"]["name"], [source for source in sources if source.strip()]


def run_notebooks(program, slugs):
    """The cells of notebooks on both kernels; true if ours keeps its limit."""
    print("\n| notebook | cells | stock | `cargo course notebooks --run` | share |\n|---|---:|---:|---:|---:|")
    totals = [0.0, 0.0]
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        if slugs and path.stem not in slugs:
            continue
        name, cells = cells_of(path)
        with Stock(program) as (kernels, stock, environment):
            began = time.monotonic()
            kernel = Kernel(kernels, stock, environment)
            kernel.execute(dep_lines(name.endswith("nalgebra")))
            for cell in cells:
                kernel.execute(cell)
            kernel.end()
            theirs = time.monotonic() - began
        began = time.monotonic()
        command = ["cargo", "course", "notebooks", "--run", path.stem]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        ours = time.monotonic() - began
        totals = [totals[0] + theirs, totals[1] + ours]
        print(f"| {path.stem} | {len(cells)} | {theirs:.1f} | {ours:.1f} | {ours / theirs:.2f} |", flush=True)
    theirs, ours = totals
    holds = ours <= NOTEBOOKS_LIMIT * theirs
    print(f"| all | | {theirs:.1f} | {ours:.1f} | {ours / theirs:.2f}, limit {NOTEBOOKS_LIMIT}: {'kept' if holds else 'EXCEEDED'} |")
    return holds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("-n", type=int, default=3, help="turns that are counted")
    parser.add_argument("--cold", action="store_true", help="with an empty file cache too")
    parser.add_argument("--assert", dest="check", action="store_true", help="fail where a limit is exceeded")
    parser.add_argument("--notebooks", nargs="*", metavar="NAME", help="the cells of these notebooks, or of all")
    options = parser.parse_args()
    if options.n < 0 or (options.n == 0 and options.notebooks is None):
        parser.error("-n takes a positive number; with --notebooks it may be 0")
    in_the_courses_python()
    jupyter, cache = course_paths()
    program, prefix = stock_program(cache), dep_lines()

    kept = True
    if options.n > 0:
        with tempfile.TemporaryDirectory() as folder:
            server = pool_server(folder)
            try:
                kept = take_turns(options, program, prefix, jupyter, server)
            finally:
                server.gone(signal.SIGTERM)
    if options.notebooks is not None:
        kept &= run_notebooks(program, set(options.notebooks))
    if options.check and not kept:
        sys.exit("\nA limit is exceeded.")


def take_turns(options, program, prefix, jupyter, server):
    kept = True
    for cold in [False, True] if options.cold else [False]:
        turns = []
        # The first turn fills cargo's cache and the file cache, and is not counted.
        for turn in range(0 if not cold else 1, options.n + 1):
            told = "not counted" if turn == 0 else f"turn {turn}"
            stock = measure_stock(program, prefix, cold)
            small = {f"{name}, stock": stock.pop(name) for name in (ROWS[5][0], ROWS[6][0])}
            seconds = stock | small | measure_ours(jupyter, cold) | measure_pool(server, cold)
            print(f"{told}: " + "; ".join(f"{name} {value:.2f}" for name, value in seconds.items()), flush=True)
            if turn > 0:
                turns.append(seconds)
        kept &= table(turns, "with an empty file cache" if cold else "with a filled file cache")
    return kept


if __name__ == "__main__":
    main()
