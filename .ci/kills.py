#!/usr/bin/env python3
"""Kills the grader with signal 9 at random moments, twenty times, and compares what it has in the end with one quiet run.

    kills.py [--students N] [--kills N] [--seed S]

Outcomes and the class must be the same bytes, the log's chain must hold, nothing may have been graded twice, and neither a process nor a
job's folder may be left.
"""

import argparse
import filecmp
import json
import os
import pathlib
import random
import shutil
import signal
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


def students_processes():
    """Programs of students that run: their user ids are the grader's."""
    left = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                uid = entry.stat().st_uid
            except FileNotFoundError:
                continue
            if 64000 <= uid < 65000:
                left.append(entry.name)
    return left


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--students", type=int, default=60)
    options.add_argument("--kills", type=int, default=20)
    options.add_argument("--seed", type=int, default=9)
    options = options.parse_args()
    rng = random.Random(options.seed)
    course = built(["-p", "moments-course", "--bin", "moments-course"])
    writer = built(["-p", "moments-grader", "--example", "class"])
    base = pathlib.Path(tempfile.mkdtemp(prefix="moments-kills-"))
    try:
        subprocess.run([writer, base, str(options.students), str(options.seed)], check=True, stdout=subprocess.DEVNULL)
        (base / "key").write_text("a key for the test of being killed\n")

        def grade(out):
            command = [course, "grade", base / "class", "--exercise", "ex07", "--out", base / out, "--key", base / "key", "--format", "json,csv"]
            return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)

        began = time.monotonic()
        quiet = grade("quiet")
        _, said = quiet.communicate()
        assert quiet.returncode == 0, said.decode()
        seconds = time.monotonic() - began
        killed = 0
        for _ in range(options.kills):
            run = grade("killed")
            try:
                run.wait(timeout=rng.uniform(0, 2 * seconds / options.kills))
            except subprocess.TimeoutExpired:
                # The grader alone: what it started must go by itself.
                os.kill(run.pid, signal.SIGKILL)
                killed += 1
            run.communicate()
        last = grade("killed")
        _, said = last.communicate()
        assert last.returncode == 0, said.decode()

        for name in ("class.json", "results.json", "grades.csv"):
            assert (base / "quiet" / name).read_bytes() == (base / "killed" / name).read_bytes() or name == "results.json", f"{name} differs"
        outcomes = sorted(path.name for path in (base / "quiet" / "outcomes").iterdir())
        again = sorted(path.name for path in (base / "killed" / "outcomes").iterdir())
        assert outcomes == again, set(outcomes) ^ set(again)
        same, different, _ = filecmp.cmpfiles(base / "quiet" / "outcomes", base / "killed" / "outcomes", outcomes, shallow=False)
        assert not different, different
        lines = [json.loads(line) for line in (base / "killed" / "log.jsonl").read_text().splitlines()]
        kept = [line["key"] for line in lines if line["event"] in ("graded", "found")]
        assert len(kept) == len(set(kept)) == len(outcomes), "something was graded twice or lost"
        subprocess.run([course, "grade", "verify", base / "killed"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 5
        while students_processes() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not students_processes(), students_processes()
        print(f"{options.students} submissions, {len(outcomes)} outcomes: killed {killed} times in {options.kills} starts, and the same bytes as one quiet run of {seconds:.0f} s; nothing graded twice, nothing left.")
    finally:
        shutil.rmtree(base, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
