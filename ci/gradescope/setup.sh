#!/usr/bin/env bash
# Gradescope runs this once, as root, when it builds the image of the autograder: what needs the network happens here and not per submission.
set -euo pipefail
export RUSTUP_HOME=/opt/rust CARGO_HOME=/opt/rust
export PATH=$CARGO_HOME/bin:$PATH
apt-get update -qq
apt-get install -y -qq --no-install-recommends bubblewrap build-essential ca-certificates curl >/dev/null
if ! command -v cargo >/dev/null; then
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal --default-toolchain stable --no-modify-path
fi
cd "${AUTOGRADER:-/autograder}/source/course"
cargo build --locked -p moments-course
# A private folder for the key: the student's code runs as another user, in a sandbox that has neither of the two.
chmod -R go= "${AUTOGRADER:-/autograder}/source/secret"
