#!/usr/bin/env python3
"""Measures how long a learner waits from an edit of an exercise to its verdict, beside a bare crate with one test.

The course is copied without its build folder, so that nothing of yours is touched. In the copy every exercise holds its
solution. An edit is a changed comment at the end of `src/lib.rs`; the wait is that of `cargo test -p <exercise>`, or of
`cargo course test <exercise>` where asked for. The bare crate has one function, one test and no dependencies, and is
edited and tested in the same way, in turn with the exercises, so that a machine that gets slower meets both.

"From nothing" is `cargo test -p <exercise>` with an empty build folder and a registry cache that is filled.

    python3 tools/exercise_bench.py             five edits of each exercise, a table
    python3 tools/exercise_bench.py -n 1 ex07   one edit of one exercise
    python3 tools/exercise_bench.py --course    the wait for `cargo course test` as well
"""

import argparse
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
EDIT, NOTHING = 0.6, 15.0


def test(folder, package, target, course=None):
    """Seconds until the verdict."""
    command = [course, "test", package] if course else ["cargo", "test", "--quiet", "-p", package]
    environment = os.environ | {"CARGO_TARGET_DIR": str(target), "CARGO_TERM_COLOR": "never"}
    begin = time.perf_counter()
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    seconds = time.perf_counter() - begin
    if run.returncode != 0:
        sys.exit(f"{package} does not pass:\n{run.stdout}{run.stderr}")
    return seconds


def edit(file, number):
    text = file.read_text(encoding="utf-8").split("\n// Edit ")[0]
    file.write_text(f"{text.rstrip()}\n\n// Edit {number}.\n", encoding="utf-8")


def copy_of_the_course(folder):
    """What git knows, with every exercise solved."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        source = ROOT / name
        if source.is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, folder / name)
    slugs = sorted(path.name for path in (folder / "exercises").glob("ex*-*"))
    for slug in slugs:
        shutil.copyfile(folder / "solutions" / slug / "src/lib.rs", folder / "exercises" / slug / "src/lib.rs")
    return slugs


def bare_crate(folder):
    (folder / "src").mkdir(parents=True)
    (folder / "tests").mkdir()
    (folder / "Cargo.toml").write_text('[package]\nname = "bare"\nversion = "0.1.0"\nedition = "2024"\n\n[workspace]\n')
    (folder / "src/lib.rs").write_text("pub fn double(x: f64) -> f64 {\n    2.0 * x\n}\n")
    (folder / "tests/one.rs").write_text("#[test]\nfn one() {\n    assert_eq!(bare::double(1.0), 2.0);\n}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("exercises", nargs="*", help="ids or slugs; all exercises by default")
    parser.add_argument("-n", type=int, default=5, help="edits of each exercise")
    parser.add_argument("--course", action="store_true", help="measure `cargo course test` as well")
    parser.add_argument("--assert", dest="limits", action="store_true", help="fail where a wait is over its limit")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="moments-exercises-") as place:
        place = Path(place)
        course, bare = place / "course", place / "bare"
        slugs = copy_of_the_course(course)
        if options.exercises:
            slugs = [slug for slug in slugs if slug in options.exercises or slug.split("-")[0] in options.exercises]
        if not slugs:
            sys.exit("There is no such exercise.")
        bare_crate(bare)
        subprocess.run(["cargo", "fetch", "--quiet"], cwd=course, check=True)
        target, bare_target = course / "target", bare / "target"

        nothing = []
        for _ in range(min(options.n, 3)):
            shutil.rmtree(target, ignore_errors=True)
            shutil.rmtree(bare_target, ignore_errors=True)
            nothing.append((test(course, slugs[-1], target), test(bare, "bare", bare_target)))
        command = None
        if options.course:
            build = ["cargo", "build", "--quiet", "-p", "moments-course"]
            subprocess.run(build, cwd=course, env=os.environ | {"CARGO_TARGET_DIR": str(target)}, check=True)
            command = str(target / "debug" / ("moments-course.exe" if os.name == "nt" else "moments-course"))

        waits = {slug: [] for slug in slugs}
        verbs = {slug: [] for slug in slugs}
        bares = []
        for slug in slugs:
            test(course, slug, target)
        for number in range(options.n):
            edit(bare / "src/lib.rs", number)
            bares.append(test(bare, "bare", bare_target))
            for slug in slugs:
                edit(course / "exercises" / slug / "src/lib.rs", number)
                waits[slug].append(test(course, slug, target))
                if command:
                    edit(course / "exercises" / slug / "src/lib.rs", f"{number} once more")
                    verbs[slug].append(test(course, slug, target, command))

    median = statistics.median
    print(f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}; medians in seconds, {options.n} edits each.\n")
    print("| from an edit to the verdict | cargo test | times the bare crate |" + (" cargo course test |" if command else ""))
    print("|---|--:|--:|" + ("--:|" if command else ""))
    print(f"| a bare crate with one test | {median(bares):.2f} | 1.0 |" + (" |" if command else ""))
    for slug in slugs:
        wait = median(waits[slug])
        verb = f" {median(verbs[slug]):.2f} |" if command else ""
        print(f"| {slug} | {wait:.2f} | {wait / median(bares):.1f} |{verb}")
    ours, theirs = (median(times) for times in zip(*nothing))
    print(f"\nFrom nothing: {slugs[-1]} {ours:.1f} s, the bare crate {theirs:.1f} s.")

    late = [slug for slug in slugs if median(waits[slug]) > EDIT]
    if options.limits and (late or ours > NOTHING):
        sys.exit(f"Over {EDIT} s after an edit: {', '.join(late) or 'none'}; from nothing {ours:.1f} s of {NOTHING:.0f}.")


if __name__ == "__main__":
    main()
