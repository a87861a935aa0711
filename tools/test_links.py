#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every relative link of the Markdown files leads to something that is there."""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def broken(path):
    text = re.sub(r"```.*?```", "", open(os.path.join(ROOT, path), encoding="utf-8").read(), flags=re.S)
    for target in LINK.findall(text):
        if not re.match(r"[a-z]+:", target) and not os.path.exists(os.path.join(ROOT, os.path.dirname(path), target)):
            yield f"{path}: {target}"


def main():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=ROOT,
                            capture_output=True, text=True, check=True).stdout.split()
    pages = [p for p in listed if os.path.isfile(os.path.join(ROOT, p))]
    failed = [fault for page in pages for fault in broken(page)]
    for fault in failed:
        print(f"FAILED link: {fault}")
    wrong = len({f.split(":")[0] for f in failed})
    print(f"{len(pages) - wrong} passed, {wrong} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
