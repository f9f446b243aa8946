#!/usr/bin/env python3
"""How fast submissions are graded, beside `cargo test` in a fresh checkout for each of them, in one run.

    grader_bench.py [--students N] [--checkouts N]

It writes a class (crates/grader/examples/class.rs), grades it with hidden cases in the strongest sandbox of this machine, and prints
submissions a minute, the ratio, the memory for a tenth of the class and for all of it, and what a second processor brings.
Needs Linux, cargo and git.
"""

import argparse
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


def built(command):
    """Builds a program of the workspace and says where it is."""
    out = subprocess.run(["cargo", "build", "--quiet", "--message-format=json", *command], cwd=ROOT, check=True, stdout=subprocess.PIPE)
    messages = [json.loads(line) for line in out.stdout.splitlines()]
    return [m["executable"] for m in messages if m.get("executable")][-1]


def timed(command, cpus=None, **more):
    """Seconds, and the peak memory of the command's own process in MB."""
    limit = (lambda: os.sched_setaffinity(0, cpus)) if cpus else None
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=limit, **more)
    peak = 0
    while process.poll() is None:
        try:
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            peak = max(peak, *(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0)
        except (FileNotFoundError, ValueError, TypeError):
            pass
        time.sleep(0.02)
    assert process.returncode == 0, f"{command}: {process.returncode}"
    return time.monotonic() - began, peak / 1024


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--students", type=int, default=1000)
    options.add_argument("--checkouts", type=int, default=3)
    options = options.parse_args()
    course = built(["-p", "moments-course", "--bin", "moments-course"])
    writer = built(["-p", "moments-grader", "--example", "class"])
    base = pathlib.Path(tempfile.mkdtemp(prefix="moments-bench-"))
    try:
        (base / "key").write_text("a key for the benchmark of the grader\n")

        def write(name, count):
            (base / name).mkdir()
            subprocess.run([writer, base / name, str(count), "3"], check=True, stdout=subprocess.DEVNULL)

        def grade(name, out, *more):
            return [course, "grade", base / name / "class", "--exercise", "ex07", "--out", base / out, "--key", base / "key", *more]

        write("few", max(20, options.students // 10))
        write("all", options.students)
        # What submissions are compiled with is made once for all classes.
        write("one", 1)
        timed(grade("one", "one-out"), cwd=ROOT)

        few, few_memory = timed(grade("few", "few-out"), cwd=ROOT)
        seconds, memory = timed(grade("all", "all-out"), cwd=ROOT)
        outcomes = len(list((base / "all-out" / "outcomes").iterdir()))
        rate = outcomes / seconds * 60

        checkouts = []
        for number in range(options.checkouts):
            clone = base / f"clone-{number}"
            subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, clone], check=True)
            shutil.copy(ROOT / "solutions/ex07-adam/src/lib.rs", clone / "exercises/ex07-adam/src/lib.rs")
            environment = {**os.environ, "CARGO_TARGET_DIR": str(clone / "target")}
            took, _ = timed(["cargo", "test", "--quiet", "-p", "ex07-adam"], cwd=clone, env=environment)
            checkouts.append(took)
            shutil.rmtree(clone)
        checkouts.sort()
        checkout = checkouts[len(checkouts) // 2]

        # Two machines, simulated: each shard has one processor of its own.
        alone, _ = timed(grade("few", "alone", "--jobs", "1"), cpus={0}, cwd=ROOT)
        began = time.monotonic()
        shards = []
        for part in (1, 2):
            command = grade("few", f"shard-{part}", "--jobs", "1", "--shard", f"{part}/2")
            cpu = {part - 1}
            shards.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=lambda cpu=cpu: os.sched_setaffinity(0, cpu)))
        assert [shard.wait() for shard in shards] == [0, 0]
        together = time.monotonic() - began

        print(f"| what | figure |\n|---|---|")
        print(f"| submissions handed in, outcomes | {options.students}, {outcomes} |")
        print(f"| outcomes a minute, {os.cpu_count()} processors, sandboxed, hidden cases included | {rate:.0f} |")
        print(f"| `cargo test` in a fresh checkout, per submission (median of {len(checkouts)}) | {checkout:.1f} s |")
        print(f"| the same for an outcome of the grader | {seconds / outcomes:.2f} s |")
        print(f"| ratio | {checkout / (seconds / outcomes):.0f} |")
        print(f"| peak memory of the grader for {max(20, options.students // 10)} and {options.students} submissions | {few_memory:.0f} MB, {memory:.0f} MB |")
        print(f"| two shards on two processors beside one on one | {alone / together:.2f} times as fast |")
    finally:
        shutil.rmtree(base, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
