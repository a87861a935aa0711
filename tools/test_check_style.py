#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows that tools/check-style finds what it should, and nothing in code that is fine."""
import importlib.machinery
import importlib.util
import os
import sys
import tempfile

sys.dont_write_bytecode = True
here = os.path.dirname(os.path.abspath(__file__))
loader = importlib.machinery.SourceFileLoader("check_style", os.path.join(here, "check-style"))
check_style = importlib.util.module_from_spec(importlib.util.spec_from_loader("check_style", loader))
loader.exec_module(check_style)

SPDX = "/* SPDX-License-Identifier: Apache-2.0 */\n"
LAYERS = "base\njson db\nfhir\nsystems\nmain\n"


def lines(count, head="int f(void)"):
    """A function whose closing brace stands `count` lines below its opening one."""
    return f"{head}\n{{\n" + "    f();\n" * (count - 1) + "}\n"


def nested(depth):
    body = "".join("    " * (d + 1) + "if (x)\n" for d in range(depth))
    return "int f(int x)\n{\n" + body + "    " * (depth + 1) + "x++;\n    return x;\n}\n"


HEADER = "/*\n * Source   x\n * Units    x\n * Missing  x\n * Errors   x\n */\n"

# name, path, text, the rules that must be reported
CASES = [
    ("plain", "src/json/a.c", SPDX + '#include "base/str.h"\n' + lines(70), []),
    ("line of 100", "src/json/a.c", SPDX + "/*" + "x" * 96 + "*/\n", []),
    ("line of 101", "src/json/a.c", SPDX + "/*" + "x" * 97 + "*/\n", ["line"]),
    ("function of 71", "src/json/a.c", SPDX + lines(71), ["function"]),
    ("two functions of 70", "src/json/a.c", SPDX + lines(70) + "\n" + lines(70), []),
    ("test of 71", "src/json/test_a.c", SPDX + lines(71, "TEST(name)"), ["function"]),
    ("file of 1000", "src/json/a.c", SPDX + "\n" * 999, []),
    ("file of 1001", "src/json/a.c", SPDX + "\n" * 1000, ["file"]),
    ("header of 251", "src/json/a.h", SPDX + "\n" * 250, ["file"]),
    ("six parameters", "src/json/a.c", SPDX + lines(3, "int f(int a, int b, int c, int d, int e, int g)"), []),
    ("seven parameters", "src/json/a.c", SPDX + lines(3, "int f(int a, int b, int c, int d,\n      int e, int g, int h)"), ["parameters"]),
    ("seven in a header", "src/json/a.h", SPDX + "err f(int a, int b, int c,\n      int d, int e, int g, int h) MUST_USE;\n", ["parameters"]),
    ("a callback is one parameter", "src/json/a.h", SPDX + "int f(int a, int (*g)(int, int, int, int, int, int, int), int c);\n", []),
    ("nested 4", "src/json/a.c", SPDX + nested(4), []),
    ("nested 5", "src/json/a.c", SPDX + nested(5), ["nesting"]),
    ("includes higher", "src/json/a.c", SPDX + '#include "fhir/def.h"\n', ["layer"]),
    ("includes neighbour", "src/json/a.c", SPDX + '#include "db/db.h"\n', ["layer"]),
    ("includes own", "src/json/a.c", SPDX + '#include "json/json.h"\n', []),
    ("system includes system", "systems/a/a.c", SPDX + '#include "systems/b/b.h"\n', ["layer"]),
    ("system includes itself", "systems/a/a.c", SPDX + '#include "systems/a/b.h"\n', []),
    ("unknown folder", "src/other/a.c", SPDX, ["layer"]),
    ("banned", "src/base/a.c", SPDX + "void f(void)\n{\n    strcpy(a, b);\n}\n", ["banned"]),
    ("banned in a comment", "src/base/a.c", SPDX + "/* strcpy(a, b) */\n", []),
    ("banned in a text", "src/base/a.c", SPDX + 'const char *t = "strcpy(a)";\n', []),
    ("malloc above the store", "src/fhir/a.c", SPDX + "void *f(void)\n{\n    return malloc(1);\n}\n", ["memory"]),
    ("malloc in db", "src/db/a.c", SPDX + "void *f(void)\n{\n    return malloc(1);\n}\n", []),
    ("a member named free", "src/fhir/a.c", SPDX + "void f(void)\n{\n    x->free(1);\n}\n", []),
    ("no SPDX", "src/base/a.c", "int a;\n", ["spdx"]),
    ("script without SPDX", "tools/x", "#!/bin/sh\necho\n", ["spdx"]),
    ("tab", "src/base/a.c", SPDX + "\tint a;\n", ["tab"]),
    ("space at the end", "src/base/a.c", SPDX + "int a; \n", ["space"]),
    ("clinical header", "clinical/a.h", SPDX + HEADER, []),
    ("clinical header, no units", "clinical/a.h", SPDX + HEADER.replace("Units", "Units:"), ["header"]),
    ("left over", "src/base/a.c", SPDX + "/* TO" + "DO: later */\n", ["left"]),
    ("machine path", "docs/a.md", "see /wo" + "rk/x\n", ["place"]),
    ("package host", "docs/a.md", "https://regis" + "try.example.org/x\n", ["place"]),
]


def faults_of(path, text, more=()):
    with tempfile.TemporaryDirectory() as root:
        for name, content in [("LAYERS", LAYERS), (path, text), *more]:
            full = os.path.join(root, name)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as file:
                file.write(content)
        return check_style.check_tree(root)


def check_ratchet():
    """A borne fault is silent, a worse one is not, a mended one must leave the list when strict."""
    fault = ("function", "src/a.c", 1, "f", 80, "")
    apply = check_style.apply_ratchet
    key = ("function", "src/a.c", "f")
    yield "borne", apply([fault], {key: 80}, True) == []
    yield "worse", apply([fault], {key: 79}, True)[0] == fault
    yield "mended", apply([], {key: 80}, True)[0][0] == "ratchet"
    yield "could be tighter", apply([fault], {key: 90}, True)[0][0] == "ratchet"
    yield "mended, not strict", apply([], {key: 80}, False) == []


def check_modules():
    table = "const struct module *const modules[] = {\n    &beds_module,\n    NULL,\n};\n"
    readme, source = ("systems/beds/README.md", "x\n"), ("systems/obs/obs.c", SPDX)
    rules = [f[0] for f in faults_of("src/main/modules.c", SPDX + table, [readme, source])]
    yield "system not listed and without README", rules == ["module", "module"]
    yield "system listed", faults_of("src/main/modules.c", SPDX + table, [readme]) == []


def main():
    results = [(name, sorted({f[0] for f in faults_of(path, text)}) == rules) for name, path, text, rules in CASES]
    results += [*check_ratchet(), *check_modules()]
    failed = [name for name, passed in results if not passed]
    for name in failed:
        print(f"FAILED check-style: {name}")
    print(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
