# Runs copydetect over FOLDER/tests, with FOLDER/common as what all may have, and writes FOLDER/pairs.json.
import json
import os
import sys

from copydetect import CopyDetector

folder, alike = sys.argv[1], float(sys.argv[2])
common = os.path.join(folder, "common")
detector = CopyDetector(
    test_dirs=[os.path.join(folder, "tests")],
    boilerplate_dirs=[common] if os.listdir(common) else [],
    extensions=["rs"],
    display_t=alike,
    autoopen=False,
    silent=True,
)
detector.run()


def number(path):
    return int(os.path.splitext(os.path.basename(path))[0])


pairs = set()
for found in detector.get_copied_code_list():
    of_a, of_b, a, b = float(found[0]), float(found[1]), number(found[2]), number(found[3])
    if a > b:
        a, b, of_a, of_b = b, a, of_b, of_a
    pairs.add((a, b, of_a, of_b))
with open(os.path.join(folder, "pairs.json"), "w", encoding="utf-8") as out:
    json.dump(sorted(pairs), out)
