#!/usr/bin/env python3
"""Measures a step of our optimizers beside PyTorch's, candle's and burn's, and beside a bare loop over the same arrays.

Every column is a process of its own that holds one case at a time: `cargo bench -p moments` for ours and the bare loop,
`benches/peers` for candle and burn, this script for PyTorch. They take turns, round by round, so that a machine that gets
slower or faster meets all of them. What is measured, and how, is said in benches/README.md.

Run it with a Python that has torch; without torch its columns stay empty.

    python tools/bench.py                          everything, about half an hour; writes benches/results
    python tools/bench.py adamw "16 Mi"            only the cases with these words
    python tools/bench.py --rounds 3 --seconds 0.1 faster and rougher
"""

import argparse
import csv
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benches/results"
TORCH = ["torch-fused", "torch-foreach", "torch-for-loop"]
PEERS = ["candle", "burn"]
COLUMNS = ["ours", "ours-checked", "ours-8bit", "stream", *TORCH, *PEERS]
HEADS = {
    "ours": "ours",
    "ours-checked": "with the check",
    "ours-8bit": "8-bit state",
    "stream": "bare loop",
    "torch-fused": "torch fused",
    "torch-foreach": "torch foreach",
    "torch-for-loop": "torch for-loop",
    "candle": "candle-nn",
    "burn": "burn-optim",
}
MANY = ["1000 x 1 Ki", "transformer"]


# The programs.


def build(arguments, target):
    """The path of the program that cargo builds."""
    command = ["cargo", *arguments, "--message-format=json"]
    output = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    for line in output.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == target:
            return message["executable"]
    sys.exit(f"cargo built no `{target}`")


def programs(wanted):
    """The command of each column."""
    bench = build(["bench", "--no-run", "-p", "moments", "--features", "rayon", "--bench", "step"], "step")
    commands = {column: [bench, "--serve", column] for column in COLUMNS[:4]}
    if any(column in wanted for column in PEERS):
        manifest = ["--manifest-path", "benches/peers/Cargo.toml", "--target-dir", "target/peers"]
        peers = build(["build", "--release", "--locked", *manifest], "moments-peers")
        commands |= {column: [peers, column] for column in PEERS}
    if any(column in wanted for column in TORCH):
        if subprocess.run([sys.executable, "-c", "import torch"], stderr=subprocess.DEVNULL).returncode == 0:
            commands |= {column: [sys.executable, __file__, "--serve", column] for column in TORCH}
        else:
            print(f"{sys.executable} has no torch: its columns stay empty.", file=sys.stderr)
    return bench, {column: command for column, command in commands.items() if column in wanted}


def environment(threads):
    names = ["RAYON_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"]
    return os.environ | {name: str(threads) for name in names}


class Program:
    """A process that answers each line with a line of JSON."""

    def __init__(self, command, threads):
        self.command = command
        self.process = subprocess.Popen(
            command, env=environment(threads), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"{self.command} ended at {words}")
        return json.loads(answer)

    def prepare(self, case):
        return self.ask("prepare", case["rule"], case["dtype"], lengths(case))["ready"]

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def lengths(case):
    return ",".join(map(str, case["lengths"]))


# PyTorch's side: this script again, as one of the programs.


def serve_torch(column):
    import torch

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    held = None
    for line in sys.stdin:
        command, *words = line.split()
        if command in ("prepare", "drop"):
            held = None
            if command == "prepare":
                held = torch_optimizer(column, *words)
                if held:
                    held[0].step()
                    held[0].step()
            answer = {"ready": held is not None}
        elif command == "check":
            for _ in range(int(words[0])):
                held[0].step()
            ends = [held[1][0].detach(), held[1][-1].detach()]
            answer = {"theta": [float(tensor[i]) for tensor in ends for i in (0, min(1, len(tensor) - 1), -2, -1)]}
        elif command == "time":
            answer = {"seconds": time_steps(held[0].step, float(words[0]))}
        else:
            sys.exit(f"`{line}` means nothing here")
        print(json.dumps(answer), flush=True)


def torch_optimizer(column, rule, dtype, text):
    import torch

    form = {"fused": column == "torch-fused", "foreach": column == "torch-foreach"}
    make = {
        "adamw": lambda p: torch.optim.AdamW(p, lr=1e-3, weight_decay=1e-2, **form),
        "momentum": lambda p: torch.optim.SGD(p, lr=1e-3, momentum=0.9, **form),
        "sgd": lambda p: torch.optim.SGD(p, lr=1e-3, **form),
        "adagrad": lambda p: torch.optim.Adagrad(p, lr=1e-2, **form),
    }.get(rule)
    if make is None:
        return None
    parameters = []
    for length in map(int, text.split(",")):
        parameter = torch.nn.Parameter(torch_entries(length, 12_345, dtype))
        parameter.grad = torch_entries(length, 0, dtype)
        parameters.append(parameter)
    return make(parameters), parameters


def torch_entries(length, salt, dtype):
    """The numbers of `entry` in serve.rs."""
    import torch

    index = torch.arange(length, dtype=torch.int64)
    hashed = (((index + salt) * 2_654_435_761) & 0xFFFF_FFFF) >> 8
    values = (2.0 * hashed.double() + 1.0) / 2**24 - 1.0
    return values.to({"f32": torch.float32, "f64": torch.float64}[dtype])


def time_steps(step, budget):
    """As `time` in serve.rs."""
    begin, count = time.perf_counter(), 1
    while True:
        before = time.perf_counter()
        for _ in range(count):
            step()
        now = time.perf_counter()
        if now - begin >= budget / 5:
            break
        count *= 2
    count = max(1, int(budget / 12 / ((now - before) / count)))
    samples, begin = [], time.perf_counter()
    while not samples or time.perf_counter() - begin < budget * 4 / 5:
        before = time.perf_counter()
        for _ in range(count):
            step()
        samples.append((time.perf_counter() - before) / count)
    return samples


# Measuring.


def available_memory():
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 8 << 30


def size_of(case):
    return 8 if case["dtype"] == "f64" else 4


def measure(running, case, rounds, seconds):
    """Seconds of a step of each column that has the case: the medians of all rounds."""
    # Parameters, gradient and two moments, and as much again for temporaries.
    need = len(running) * 8 * size_of(case) * sum(case["lengths"])
    hold = need < available_memory() * 0.8
    columns = list(running)
    if hold:
        columns = [column for column in columns if running[column].prepare(case)]
    medians = {column: [] for column in columns}
    # Where memory does not hold all columns at once, each is made anew in each round, which takes longer than to measure it.
    for round_ in range(rounds if hold else min(rounds, 3)):
        turn = round_ % len(columns)
        for column in columns[turn:] + columns[:turn]:
            if not hold and not running[column].prepare(case):
                continue
            medians[column].append(statistics.median(running[column].ask("time", seconds)["seconds"]))
            if not hold:
                running[column].ask("drop")
    for column in columns:
        running[column].ask("drop")
    return {column: values for column, values in medians.items() if values}


def agree(running, cases):
    """A column that computes something else is not a comparison."""
    for case in cases:
        expected = None
        for column, program in running.items():
            # State in 8 bits is another result; the bare loop computes nothing.
            if column in ("stream", "ours-8bit") or not program.prepare(case):
                continue
            theta = program.ask("check", 8)["theta"]
            program.ask("drop")
            expected = expected or theta
            for a, b in zip(expected, theta, strict=True):
                if abs(a - b) > 1e-5 * max(1.0, abs(a)):
                    sys.exit(f"{case['rule']} {case['dtype']}: {column} gives {theta}, not {expected}")


def record(case, seconds, threads):
    bytes_ = case["passes"] * size_of(case) * sum(case["lengths"])
    return {
        "rule": case["rule"],
        "dtype": case["dtype"],
        "tensors": case["tensors"],
        "parameters": sum(case["lengths"]),
        "threads": threads,
        "bytes": bytes_,
        "columns": {
            column: {"seconds": statistics.median(values), "rounds": values}
            for column, values in seconds.items()
        },
    }


# Reporting.


def seconds_of(row, column):
    found = row["columns"].get(column)
    return found and found["seconds"]


def ratio(row, column, ours="ours"):
    """How many times as long the column takes as ours."""
    theirs, mine = seconds_of(row, column), seconds_of(row, ours)
    return theirs / mine if theirs and mine else None


def amount(seconds):
    return f"{seconds * 1e6:.1f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.2f} ms"


def markdown(rows):
    columns = [column for column in COLUMNS if any(column in row["columns"] for row in rows)]
    lines = [
        "| rule | tensors | " + " | ".join(HEADS[column] for column in columns) + " |",
        "|---|---|" + "---|" * len(columns),
    ]
    for row in rows:
        cells = []
        for column in columns:
            seconds = seconds_of(row, column)
            if seconds is None:
                cells.append("")
            elif column in ("ours", "stream"):
                cells.append(f"{amount(seconds)}, {row['bytes'] / seconds / 1e9:.1f} GB/s")
            else:
                cells.append(f"{amount(seconds)}, {ratio(row, column):.2f}x")
            if column == "stream" and seconds:
                cells[-1] += f", {100 * ratio(row, column):.0f}%"
        lines.append(f"| {row['rule']} {row['dtype']} | {row['tensors']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def targets(rows):
    """Each target of the crate: what, how much is wanted, how much there is."""
    found = []
    for row in rows:
        name = f"{row['rule']} {row['dtype']}, {row['tensors']}"
        if row["rule"] != "sgd":
            if row["tensors"] == "16 Mi":
                found.append((f"{name}: beside torch fused", 1.0, ratio(row, "torch-fused")))
                found.append((f"{name}: share of the bare loop", 0.9, ratio(row, "stream")))
                eight = ratio(row, "ours", "ours-8bit")
                found.append((f"{name}: 8-bit state beside f32", 1.5, eight))
            wanted = {"16 Ki": 8.0, "transformer": 1.2, "1000 x 1 Ki": 12.0}.get(row["tensors"])
            if wanted:
                found.append((f"{name}: beside torch fused", wanted, ratio(row, "torch-fused")))
    for peer in PEERS:
        for rule, dtype in dict.fromkeys((row["rule"], row["dtype"]) for row in rows):
            all_ = [
                (ratio(row, peer), row["tensors"])
                for row in rows
                if (row["rule"], row["dtype"]) == (rule, dtype) and ratio(row, peer)
            ]
            if all_:
                least, where = min(all_)
                found.append((f"{rule} {dtype}, least of all tensors ({where}): beside {HEADS[peer]}", 3.0, least))
    return [target for target in found if target[2] is not None]


def verdicts(rows):
    lines = ["| target | wanted | measured | |", "|---|---|---|---|"]
    for name, wanted, there in targets(rows):
        verdict = "reached" if there >= wanted else "**not reached**"
        lines.append(f"| {name} | {wanted:g} | {there:.2f} | {verdict} |")
    return "\n".join(lines)


def machine(threads):
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    versions = {"rustc": subprocess.check_output(["rustc", "--version"], text=True).split()[1]}
    lock = (ROOT / "benches/peers/Cargo.lock").read_text(encoding="utf-8")
    for package in ("candle-nn", "burn-optim"):
        versions[package] = lock.split(f'name = "{package}"\nversion = "')[1].split('"')[0]
    try:
        import torch

        versions["torch"] = torch.__version__.split("+")[0]
    except ImportError:
        pass
    return {"processor": model, "cores": os.cpu_count(), "threads": threads, "versions": versions}


def write(folder, about, rows, scaling):
    folder.mkdir(parents=True, exist_ok=True)
    whole = {"machine": about, "rows": rows, "scaling": scaling}
    (folder / "speed.json").write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    for name, part in (("sizes.csv", rows), ("threads.csv", scaling)):
        with open(folder / name, "w", newline="", encoding="utf-8") as file:
            out = csv.writer(file, lineterminator="\n")
            out.writerow(["rule", "dtype", "tensors", "parameters", "threads", "column", "seconds", "bytes"])
            for row in part:
                for column, values in row["columns"].items():
                    keys = ("rule", "dtype", "tensors", "parameters", "threads")
                    out.writerow([*(row[key] for key in keys), column, f"{values['seconds']:.6g}", row["bytes"]])
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    (folder / "speed.md").write_text(
        f"<!-- Made by tools/bench.py. -->\n\n{about['processor']}, {about['cores']} cores, "
        f"{about['threads']} threads; {versions}.\n\n{markdown(rows)}\n\n{verdicts(rows)}\n",
        encoding="utf-8",
    )


def draw(folder):
    command = ["cargo", "run", "--quiet", "-p", "moments-lab", "--example", "speed", "--", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True)


def start(commands, threads):
    return {column: Program(command, threads) for column, command in commands.items()}


def counts(most):
    """1, 2, 4, ... and all."""
    return sorted({most, *(1 << i for i in range(most.bit_length()) if 1 << i <= most)})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="leave only the cases with these words, such as: adamw f32 '16 Mi'")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.25, help="of one measurement in one round")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--columns", nargs="+", choices=COLUMNS, default=COLUMNS)
    parser.add_argument("--no-scaling", action="store_true", help="leave out the run over 1 to N threads")
    parser.add_argument("--out", type=Path, help="where results go; by default benches/results if all cases were run")
    parser.add_argument("--serve", choices=TORCH, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        return serve_torch(options.serve)

    bench, commands = programs(options.columns)
    cases = [json.loads(line) for line in subprocess.check_output([bench, "--cases"], text=True).splitlines()]
    chosen = [case for case in cases if {case["rule"], case["dtype"], case["tensors"]}.issuperset(options.words)]
    if not chosen:
        sys.exit("no case has these words")
    threads = options.threads
    about = machine(threads)

    running = start(commands, threads)
    rules = {(case["rule"], case["dtype"]) for case in chosen}
    small = [case for case in cases if case["tensors"] in ("1 Ki", MANY[0]) and (case["rule"], case["dtype"]) in rules]
    agree(running, small)
    rows = []
    for case in chosen:
        row = record(case, measure(running, case, options.rounds, options.seconds), threads)
        rows.append(row)
        times = ", ".join(f"{HEADS[c]} {amount(v['seconds'])}" for c, v in row["columns"].items())
        print(f"{row['rule']} {row['dtype']} {row['tensors']}: {times}", file=sys.stderr)
    for program in running.values():
        program.end()

    scaling = []
    if not options.no_scaling:
        few = {column: commands[column] for column in ("ours", "stream", "torch-fused") if column in commands}
        for number in counts(threads):
            running = start(few, number)
            for case in chosen:
                if case["tensors"] in ("16 Ki", "16 Mi", *MANY) and case["rule"] == "adamw":
                    times = measure(running, case, options.rounds, options.seconds)
                    scaling.append(record(case, times, number))
            for program in running.values():
                program.end()

    print(markdown(rows), end="\n\n")
    print(verdicts(rows))
    folder = options.out or (None if options.words else RESULTS)
    if folder:
        write(folder, about, rows, scaling)
        draw(folder)
    return None


if __name__ == "__main__":
    main()
