#!/usr/bin/env bash
# Builds the zip that Gradescope asks for under "Configure Autograder": one for each exercise.
# ci/gradescope/make-zip.sh EXERCISE KEY ZIP [POLICY], such as: ci/gradescope/make-zip.sh ex07 ~/keys/gradescope ex07.zip
#
# The key goes to Gradescope with the zip. Make one for Gradescope alone, so that what is graded elsewhere does not hang on it.
set -euo pipefail
[ $# -ge 3 ] || { sed -n '2,3p' "$0" | cut -c3- >&2; exit 2; }
exercise=$1 key=$(realpath "$2") zip=$(realpath -m "$3") policy=${4:+$(realpath "$4")}
here=$(cd "$(dirname "$0")" && pwd)
course=$(cd "$here/../.." && pwd)
[ "$(wc -c <"$key")" -ge 16 ] || { echo "make-zip: the key in $key is shorter than 16 bytes: openssl rand -hex 32 > $key" >&2; exit 2; }
compgen -G "$course/exercises/$exercise-*" >/dev/null || { echo "make-zip: there is no exercise \`$exercise\`; they are called ex01, ex02 and so on" >&2; exit 2; }
# The roster, times and due dates are Gradescope's own there: a policy that names files would need them in the zip.
if [ -n "$policy" ] && grep -qE '^[[:space:]]*(roster|times)[[:space:]]*=' "$policy"; then
    echo "make-zip: $policy names a roster or times. Gradescope knows its students and when they handed in: give a policy without these" >&2
    exit 2
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/course" "$work/secret"
# What is committed, without the chapters: the course is built inside, and its sources are what it grades with.
git -C "$course" archive HEAD -- . ':!book' ':!notebooks' ':!benches' ':!crates/grader/redteam' ':!.github' | tar -x -C "$work/course"
mkdir -p "$work/course/book" && cp "$course/book/book.toml" "$work/course/book/"
cp "$key" "$work/secret/key"
[ -z "$policy" ] || cp "$policy" "$work/secret/policy.toml"
printf 'EXERCISE=%s\nSANDBOX=%s\n' "$exercise" "${SANDBOX:-bubblewrap}" >"$work/settings"
cp "$here/setup.sh" "$here/run_autograder" "$work/"
chmod +x "$work/setup.sh" "$work/run_autograder"
rm -f "$zip"
# Python is on every machine that has Rust's tools for the course, and zip is not; Gradescope needs the two scripts at the top.
(cd "$work" && python3 - "$zip" <<'END'
import os, sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as out:
    for folder, _, names in sorted(os.walk(".")):
        for name in sorted(names):
            out.write(os.path.join(folder, name))
END
)
echo "$zip: $(du -h "$zip" | cut -f1), for $exercise"
