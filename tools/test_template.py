#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows which escaping tools/template chooses, and what it refuses."""
import importlib.machinery
import importlib.util
import os
import sys

sys.dont_write_bytecode = True
here = os.path.dirname(os.path.abspath(__file__))
loader = importlib.machinery.SourceFileLoader("template", os.path.join(here, "template"))
template = importlib.util.module_from_spec(importlib.util.spec_from_loader("template", loader))
loader.exec_module(template)

# name, inside of a define, what the C must contain
GOOD = [
    ("text", "<p>{{ x }}</p>", ["ui_text(out, x);"]),
    ("attribute", '<p title="{{ x }}">', ["ui_attr(out, x);"]),
    ("whole address", '<a href="{{ x }}">', ["ui_url(out, x);"]),
    ("part of an address", '<a href="/p/{{ x }}">', ["ui_url_part(out, x);"]),
    ("second part of an address", '<a href="{{ x }}/{{ y }}">', ["ui_url(out, x);", "ui_url_part(out, y);"]),
    ("loop", "{% for bed in w->beds %}{{ bed->n }}{% end %}", ["bed_index < (w->beds_count)", "ui_text(out, bed->n);"]),
    ("branches", "{% if a %}x{% else if b %}y{% else %}z{% end %}", ["if (a) {", "} else if (b) {", "} else {"]),
    ("word in a tag", "<input {% if a %}required{% end %}>", ["if (a) {"]),
    ("value in a branch of an attribute", '<p class="a{% if x %} b{% end %}">', ["if (x) {"]),
    ("call", "{% call other(x, y) %}", ["other(out, x, y);"]),
    ("quotes, a backslash and UTF-8", 'say "\\" é', ['\\"\\\\\\" \\303\\251']),
    ("comment of a template", "{# {{ nothing }} #}a", ['S("a")']),
    ("space with line breaks", "<p>\n\n   a</p>", ['<p>\\na</p>']),
    ("space in pre", "<pre>\n   a</pre>", ['<pre>\\n   a</pre>']),
    ("text after a script", "<script src=\"/a\"></script>{{ x }}", ["ui_text(out, x);"]),
]
REFUSED = [
    ("script", "<script>var a = {{ x }};</script>"),
    ("style", "<style>p { color: {{ x }} }</style>"),
    ("handler", '<p onclick="{{ x }}">'),
    ("style attribute", '<p style="width: {{ x }}">'),
    ("unquoted attribute", "<p title={{ x }}>"),
    ("unquoted text", "<p title=x>"),
    ("tag name", "<{{ x }}>"),
    ("attribute name", "<p {{ x }}>"),
    ("HTML comment", "<!-- {{ x }} -->"),
    ("branches that end apart", '{% if a %}<p title="{% else %}<p>{% end %}'),
    ("a branch that opens an attribute", '{% if a %}<p title="{% end %}'),
    ("a loop that opens a tag", "{% for b in c %}<p {% end %}"),
    ("not ended", "{% if a %}"),
    ("unknown statement", "{% while a %}{% end %}"),
    ("else alone", "{% else %}"),
    ("define inside", "{% define f() %}{% end %}"),
    ("call in an attribute", '<p title="{% call f() %}">'),
]


def translated(inside):
    return template.translate("t.html", "t.h", "{% define t(int x) %}" + inside + "{% end %}")


def refused(inside):
    try:
        translated(inside)
    except SystemExit as fault:
        return str(fault).startswith("t.html:1: ")
    return False


def main():
    results = [(name, all(part in translated(inside)[0] for part in parts)) for name, inside, parts in GOOD]
    results += [(name, refused(inside)) for name, inside in REFUSED]
    results += [("prototype", "void t(struct buf *out, int x);" in translated("a")[1])]
    failed = [name for name, passed in results if not passed]
    for name in failed:
        print(f"FAILED template: {name}")
    print(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
