#!/usr/bin/env python3
"""For Classroom 50, as CLASSROOM/autograders/ASSIGNMENT/autograder.py: its runner starts this once for each submission.

The runner works in the student's repository, so the course key must not be there: this is the run without hidden cases.
Grades come from a run of your own, with the key: `cargo course grade ... --format classroom50` writes the same form.

Set MOMENTS to the URL of the course, and MOMENTS_COMMIT to the commit of it that grades: the student's own clone is not asked.
The assignment is named after its exercise (ex07, or ex07-adam), or EXERCISE says which one it is.
"""

import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile


def need(name):
    value = os.environ.get(name, "")
    if not value:
        sys.exit(f"autograder: the variable {name} is not set")
    return value


def main():
    exercise = os.environ.get("EXERCISE") or need("ASSIGNMENT")
    if not re.match(r"ex[0-9]{2}", exercise):
        sys.exit(f"autograder: the assignment is called {exercise}; set EXERCISE to the id of its exercise, such as ex07")
    exercise = exercise[:4]
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        course = work / "course"
        subprocess.run(["git", "init", "-q", course], check=True)
        subprocess.run(["git", "-C", course, "fetch", "-q", "--depth", "1", need("MOMENTS"), need("MOMENTS_COMMIT")], check=True)
        subprocess.run(["git", "-C", course, "checkout", "-q", "FETCH_HEAD"], check=True)
        subprocess.run([course / "ci" / "need-sandbox", "bubblewrap"], check=True)
        # Any code but 0 is an infrastructure failure, to the grader and to the runner alike: check=True passes it on.
        subprocess.run(
            ["cargo", "--quiet", "course", "grade", pathlib.Path.cwd(), "--exercise", exercise, "--sandbox", "bubblewrap"]
            + ["--out", work / "out", "--format", "json"],
            cwd=course,
            check=True,
        )
        (result,) = json.loads((work / "out" / "results.json").read_text())["results"]
    if "fault" in result:
        sys.exit(f"autograder: it could not be graded, for no reason of the student's: {result['fault']}")
    outcome = result["graded"]["outcome"]
    commit = need("COMMIT_URL")
    tests = [
        {"test-name": check["name"], "passed": check["result"] == "holds", "score": check["points"], "max-score": check["max_points"]}
        for check in outcome["checks"]
    ]
    pathlib.Path("result.json").write_text(
        json.dumps(
            {
                "schema": "classroom50/result/v1",
                "classroom": need("CLASSROOM"),
                "assignment": need("ASSIGNMENT"),
                "assignment_type": os.environ.get("ASSIGNMENT_TYPE") or "individual",
                "owner": os.environ.get("OWNER") or need("USERNAME"),
                "submission": need("SUBMISSION_TAG"),
                "commit": commit,
                "release": need("RELEASE_URL"),
                "review": os.environ.get("REVIEW_URL") or commit,
                "datetime": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "score": outcome["points"],
                "max-score": outcome["max_points"],
                "tests": tests,
            },
            indent=2,
        )
        + "\n"
    )
    # The grader's texts are plain, without control characters; indented by four, Markdown shows them as they are.
    body = "\n\n".join([*outcome["remarks"], *(c["name"] + "\n" + c["message"] for c in outcome["checks"] if c["message"])])
    body = "".join(f"    {line}\n" for line in body.splitlines())
    pathlib.Path("release-body.md").write_text(f"{outcome['points']} of {outcome['max_points']} points, without hidden cases.\n\n{body}")


main()
