# SPDX-License-Identifier: Apache-2.0
"""Holds docs/security/asvs.md to the requirements of OWASP ASVS 5.0 levels 1 and 2, and to tests that are there."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Chapter.section: how many requirements of levels 1 and 2 it has.
SECTIONS = {
    "1.1": 2, "1.2": 9, "1.3": 11, "1.4": 3, "1.5": 2, "2.1": 3, "2.2": 3, "2.3": 4, "2.4": 1, "3.2": 2, "3.3": 4, "3.4": 6,
    "3.5": 5, "3.7": 2, "4.1": 3, "4.2": 1, "4.3": 2, "4.4": 4, "5.1": 1, "5.2": 3, "5.3": 2, "5.4": 3, "6.1": 3, "6.2": 12,
    "6.3": 4, "6.4": 4, "6.5": 5, "6.6": 3, "6.8": 4, "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 2, "7.6": 2, "8.1": 2,
    "8.2": 3, "8.3": 1, "8.4": 1, "9.1": 3, "9.2": 4, "10.1": 2, "10.2": 2, "10.3": 4, "10.4": 11, "10.5": 5, "10.6": 2,
    "10.7": 3, "11.1": 2, "11.2": 3, "11.3": 3, "11.4": 4, "11.5": 1, "11.6": 1, "12.1": 3, "12.2": 2, "12.3": 4, "13.1": 1,
    "13.2": 5, "13.3": 2, "13.4": 5, "14.1": 2, "14.2": 4, "14.3": 3, "15.1": 3, "15.2": 3, "15.3": 7, "16.1": 1, "16.2": 5,
    "16.3": 4, "16.4": 3, "16.5": 3, "17.1": 1, "17.2": 4, "17.3": 2,
}


def rows():
    for line in (ROOT / "docs/security/asvs.md").read_text(encoding="utf-8").splitlines():
        if match := re.match(r"\| V(\d+\.\d+)\.(\d+) \|", line):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            yield match[1], int(match[2]), cells


def test_is_there(name):
    """"auth: beginning of a title", "unit jwt: name", or a path."""
    if "/" in name:
        return (ROOT / name).exists()
    file, _, title = name.partition(": ")
    if file.startswith("unit "):
        suite = re.compile(rf"#define TEST_SUITE {file[5:]}\b")
        texts = [p.read_text(encoding="utf-8") for p in ROOT.glob("src/**/test_*.c")]
        texts = [t for t in texts if suite.search(t)]
    else:
        texts = [p.read_text(encoding="utf-8") for d in ("scenario", "browser") for p in [ROOT / f"tests/{d}/{file}.test.mjs"] if p.exists()]
    return any(title in text for text in texts)


def faults():
    counts, states = {}, {"met": 0, "part": 0, "not": 0, "n/a": 0}
    for section, number, cells in rows():
        counts.setdefault(section, set()).add(number)
        if cells[3] not in states or not cells[4]:
            yield f"V{section}.{number}: no state, or no control"
            continue
        states[cells[3]] += 1
        if cells[5] and not test_is_there(cells[5]):
            yield f"V{section}.{number}: there is no test {cells[5]!r}"
    for section, count in SECTIONS.items():
        if len(counts.get(section, ())) != count:
            yield f"V{section}: {len(counts.get(section, ()))} rows, not {count}"
    told = "{met} met, {part} in part, {not} not, {n/a} do not apply".format(**states)
    if told not in (ROOT / "docs/security/asvs.md").read_text(encoding="utf-8"):
        yield f"the counts at the top are not: {told}"


found = list(faults())
for fault in found:
    print(fault)
print(f"{0 if found else 1} passed, {1 if found else 0} failed")
sys.exit(1 if found else 0)
