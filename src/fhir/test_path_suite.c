/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE path_suite
#include "base/test.h"
#include "base/map.h"
#include "fhir/decimal.h"
#include "fhir/def.h"
#include "fhir/path.h"
#include <libxml/parser.h>
#include <libxml/tree.h>

/*
 * The official FHIRPath R4 suite, every expression against the JSON form of its input. What is
 * known not to pass stands with its reason in tests/conformance/fhirpath-known.txt (name, tab,
 * reason); the test fails when anything else fails, and when anything listed there passes.
 */
struct tally {
    int passed, failed;
    struct map known; /* name to 1 + place of its reason in the text */
    str known_text;
};

static str attribute(struct ctx *cx, xmlNode *node, const char *name)
{
    xmlChar *value = xmlGetProp(node, BAD_CAST name);
    str text = value ? arena_copy(cx->arena, str_of((char *)value)) : (str){ 0 };
    xmlFree(value);
    return text;
}

static str content(struct ctx *cx, xmlNode *node)
{
    xmlChar *value = xmlNodeGetContent(node);
    str text = arena_copy(cx->arena, str_of((char *)value));
    xmlFree(value);
    return text;
}

static xmlNode *child(xmlNode *node, const char *name)
{
    for (xmlNode *n = node->children; n; n = n->next)
        if (n->type == XML_ELEMENT_NODE && strcmp((const char *)n->name, name) == 0)
            return n;
    return NULL;
}

static struct json read_input(struct ctx *cx, str name)
{
    struct json input = { 0 };
    if (!name.n)
        return input;
    if (str_ends(name, S(".xml")))
        name = arena_printf(cx->arena, "%.*s.json", STR_ARG(str_slice(name, 0, name.n - 4)));
    str path = arena_printf(cx->arena, "testdata/fhirpath/%.*s", STR_ARG(name));
    str text = test_read(cx, test_shared(cx, path.p));
    if (json_parse(cx, text, &input) != ERR_OK)
        return (struct json){ 0 };
    return input;
}

static bool same_type(struct ctx *cx, const struct path_item *item, str expected)
{
    str name = path_item_type_name(cx->arena, item);
    return !expected.n ||
           str_eq_nocase(str_slice(name, str_find_char(name, '.') + 1, name.n), expected);
}

static bool same_text(struct ctx *cx, const struct path_item *item, str expected)
{
    struct decimal a, b;
    str text = path_item_text(cx->arena, item);
    if (expected.n && expected.p[0] == '@')
        expected = str_slice(expected, str_starts(expected, S("@T")) ? 2 : 1, expected.n);
    return str_eq(text, expected) ||
           (decimal_parse(text, &a) && decimal_parse(expected, &b) && decimal_cmp(a, b) == 0);
}

static bool same_results(struct ctx *cx, xmlNode *test, const struct path_result *result)
{
    bool unordered = str_eq(attribute(cx, test, "ordered"), S("false"));
    size_t count = 0;
    for (xmlNode *n = test->children; n; n = n->next) {
        if (n->type != XML_ELEMENT_NODE || strcmp((const char *)n->name, "output") != 0)
            continue;
        str type = attribute(cx, n, "type"), text = content(cx, n);
        bool found = false;
        for (size_t i = unordered ? 0 : count; i < result->count && !found; i++) {
            found = same_type(cx, &result->items[i], type) &&
                    same_text(cx, &result->items[i], text);
            if (!unordered)
                break;
        }
        if (!found)
            return false;
        count++;
    }
    return count == result->count;
}

/* Runs one test; `why` says what was wrong. */
static bool run_test(struct ctx *cx, xmlNode *test, str *why)
{
    xmlNode *expression = child(test, "expression");
    bool invalid = attribute(cx, expression, "invalid").n || attribute(cx, test, "invalid").n;
    struct json input = read_input(cx, attribute(cx, test, "inputfile"));
    struct path_run run = { .input = input, .input_type = FHIR_NONE };
    const struct path *path;
    struct path_result result = { 0 };
    err error = path_compile(cx, content(cx, expression), &path);
    if (!error && input.doc)
        error = path_check(cx, path,
                           fhir_type_find(json_string(cx->arena,
                                                      json_get(input, S("resourceType")))));
    if (!error)
        error = path_eval(cx, path, &run, &result);
    *why = error ? cx->issues.list[0].text : arena_printf(cx->arena, "%zu items", result.count);
    if (result.count)
        *why = arena_printf(cx->arena, "%.*s, first %.*s: %.*s", STR_ARG(*why),
                            STR_ARG(path_item_type_name(cx->arena, result.items)),
                            STR_ARG(path_item_text(cx->arena, result.items)));
    if (invalid || error)
        return invalid && error;
    bool truth;
    if (str_eq(attribute(cx, test, "predicate"), S("true")))
        return path_truth(cx, &result, false, &truth) == ERR_OK && truth;
    return same_results(cx, test, &result);
}

static void one_test(struct ctx *cx, struct tally *tally, xmlNode *test)
{
    struct ctx inner = ctx_make(cx->arena);
    inner.now_ms = cx->now_ms;
    str name = attribute(cx, test, "name"), why = { 0 };
    uint64_t at = 0;
    bool passed = run_test(&inner, test, &why);
    bool known = map_get(&tally->known, name, &at);
    *(passed ? &tally->passed : &tally->failed) += 1;
    if (!passed && !known)
        cr_expect(false, "%.*s: %.*s", STR_ARG(name), STR_ARG(why));
    if (passed && known)
        cr_expect(false, "%.*s passes now: take it off the list", STR_ARG(name));
    if (!passed && known) {
        str rest = str_slice(tally->known_text, at - 1, tally->known_text.n), reason;
        str_next(&rest, '\n', &reason);
        printf("conformance-fault fhirpath: %.*s: %.*s\n", STR_ARG(name), STR_ARG(reason));
    }
}

static void read_known(struct ctx *cx, struct tally *tally)
{
    str text = test_read(cx, S(FRONTLINE_SOURCE_ROOT "/tests/conformance/fhirpath-known.txt"));
    str rest = text, line;
    tally->known = map_make(cx->arena);
    tally->known_text = text;
    while (str_next(&rest, '\n', &line)) {
        size_t tab = str_find_char(line, '\t');
        if (tab != STR_NONE && line.p[0] != '#')
            map_set(&tally->known, str_slice(line, 0, tab),
                    (uint64_t)(line.p + tab + 1 - text.p) + 1);
    }
}

TEST(path_passes_the_official_suite)
{
    str file = test_shared(cx, "testdata/fhirpath/tests-fhir-r4.xml");
    if (!file.p)
        return;
    struct tally tally = { 0 };
    read_known(cx, &tally);
    xmlDoc *doc = xmlReadFile(file.p, NULL, XML_PARSE_NONET);
    cr_assert(doc, "the suite is no XML");
    for (xmlNode *g = xmlDocGetRootElement(doc)->children; g; g = g->next)
        for (xmlNode *t = g->type == XML_ELEMENT_NODE ? g->children : NULL; t; t = t->next)
            if (t->type == XML_ELEMENT_NODE && strcmp((const char *)t->name, "test") == 0)
                one_test(cx, &tally, t);
    xmlFreeDoc(doc);
    xmlCleanupParser();
    printf("conformance fhirpath passed %d failed %d skipped 0\n", tally.passed, tally.failed);
}
