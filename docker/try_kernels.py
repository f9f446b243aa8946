"""Starts kernels of the course as an editor does, and fails unless each of them computes.

    python3 docker/try_kernels.py moments moments-nalgebra

The order is that of VS Code: kernel_info first, then a cell. Needs jupyter_client, which every Jupyter has.
"""

import re
import sys
import time

from jupyter_client.manager import start_new_kernel

# The kernel is ready when it answers, and on a loaded machine that may take a while.
PATIENCE = 600
CELLS = {
    "moments": "use moments_lab::prelude::*;\n"
    "run(&Square, &[3.0], moments::Sgd { lr: 0.1, ..Default::default() }, 10).unwrap().last().theta[0]",
    "moments-nalgebra": "nalgebra::Matrix2::new(2.0, 1.0, 1.0, 2.0).symmetric_eigenvalues().max()",
}
ANSWERS = {"moments": 3 * 0.8**10, "moments-nalgebra": 3.0}


def text_of(kernel, cell):
    """What the cell shows as plain text."""
    shown = []

    def hear(message):
        content = message["content"]
        if message["msg_type"] in ("execute_result", "display_data"):
            shown.append(content["data"].get("text/plain", ""))
        elif message["msg_type"] in ("stream", "error"):
            print(content.get("text") or "\n".join(content["traceback"]), file=sys.stderr)

    reply = kernel.execute_interactive(cell, timeout=PATIENCE, output_hook=hear)
    if reply["content"]["status"] != "ok" or not shown:
        sys.exit(f"The cell failed:\n{cell}")
    return shown[-1]


def number(text):
    found = re.search(r"-?\d+\.\d+", text)
    if found is None:
        sys.exit(f"There is no number in {text!r}.")
    return float(found[0])


for name in sys.argv[1:]:
    began = time.monotonic()
    manager, kernel = start_new_kernel(kernel_name=name, startup_timeout=PATIENCE)
    try:
        info = kernel.kernel_info(reply=True, timeout=PATIENCE)["content"]
        if info["language_info"]["name"].lower() != "rust":
            sys.exit(f"{name} speaks {info['language_info']['name']}.")
        ready = time.monotonic() - began
        found = number(text_of(kernel, CELLS[name]))
        if abs(found - ANSWERS[name]) > 1e-12:
            sys.exit(f"{name} computed {found} instead of {ANSWERS[name]}.")
        print(f"{name}: {info['implementation']} {info['implementation_version']}, ready in {ready:.1f} s, "
              f"first result after {time.monotonic() - began:.1f} s")
    finally:
        kernel.stop_channels()
        manager.shutdown_kernel()
