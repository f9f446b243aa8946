"""Do the kernel and the native run agree?  python agree.py EXECUTED.ipynb OUTPUTS_DIR

Compares what each cell of an executed notebook printed and showed with the committed outputs of the chapter,
and fails if a cell differs, or if nothing was compared.
"""

import json
import sys
from pathlib import Path

RICH = {"image/svg+xml": "svg", "text/html": "html"}


def joined(text):
    return text if isinstance(text, str) else "".join(text)


def main(notebook, outputs):
    slug = Path(notebook).stem
    compared, differ = 0, []
    for cell in json.loads(Path(notebook).read_text())["cells"]:
        if cell["cell_type"] != "code":
            continue
        name = cell["id"].removeprefix(slug + "-")
        seen = {}
        for output in cell["outputs"]:
            if output["output_type"] == "stream" and output["name"] == "stdout":
                seen["txt"] = seen.get("txt", "") + joined(output["text"])
            for mime, ending in RICH.items():
                if mime in output.get("data", {}):
                    seen[ending] = joined(output["data"][mime])
        for ending in ("txt", "svg", "html"):
            committed = Path(outputs, f"{name}.{ending}")
            expected = committed.read_text().strip() if committed.exists() else None
            got = seen[ending].strip() if ending in seen else None
            if expected is None and got is None:
                continue
            compared += 1
            if expected != got:
                differ.append(f"{committed.name}: committed {expected!r:.200}, kernel {got!r:.200}")
    print(f"{slug}: {compared} outputs compared, {len(differ)} differ")
    print("\n".join(differ))
    sys.exit(1 if differ or compared == 0 else 0)


main(*sys.argv[1:])
