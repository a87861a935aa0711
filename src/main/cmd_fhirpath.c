/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "fhir/def.h"
#include "fhir/path.h"
#include "fhir/xml.h"
#include "json/write.h"
#include "main/command.h"
#include "main/path_known.h"
#include "main/read_file.h"

enum { OUT_MAX = 512 << 20 };

/* What trace() saw goes to standard error, so that the results stay clean. */
static void show_trace(struct ctx *cx, const struct path_host *host, str name,
                       const struct path_result *items)
{
    (void)host;
    for (size_t i = 0; i < items->count; i++)
        fprintf(stderr, "trace %.*s: %.*s %.*s\n", STR_ARG(name),
                STR_ARG(path_item_type_name(cx->arena, &items->items[i])),
                STR_ARG(path_item_text(cx->arena, &items->items[i])));
}

static void put_item(struct ctx *cx, struct json_writer *w, const struct path_item *item)
{
    struct path_item value;
    if (item->kind == PATH_NODE && item->node.doc) {
        json_minify(w->buf, item->node);
        w->comma = true;
    } else if (item->kind == PATH_NODE) {
        json_raw(w, S("null"));
    } else if (item->kind == PATH_TYPE) {
        json_str(w, arena_printf(cx->arena, "%.*s.%.*s", STR_ARG(item->text), STR_ARG(item->unit)));
    } else if (path_item_value(cx, item, &value) &&
               (value.kind == PATH_BOOLEAN || value.kind == PATH_INTEGER ||
                value.kind == PATH_DECIMAL)) {
        json_raw(w, path_item_text(cx->arena, item));
    } else {
        json_str(w, path_item_text(cx->arena, item));
    }
}

static void print_json(struct ctx *cx, const struct path_result *result)
{
    struct buf buf = buf_make(cx->arena, OUT_MAX);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '[');
    for (size_t i = 0; i < result->count; i++) {
        json_open(&w, '{');
        json_put_str(&w, "type", path_item_type_name(cx->arena, &result->items[i]));
        json_key(&w, "value");
        put_item(cx, &w, &result->items[i]);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    printf("%.*s\n", STR_ARG(buf_str(&buf)));
}

static void print_lines(struct ctx *cx, const struct path_result *result)
{
    for (size_t i = 0; i < result->count; i++) {
        const struct path_item *item = &result->items[i];
        str text = path_item_text(cx->arena, item);
        if (!str_given(text)) {
            struct buf buf = buf_make(cx->arena, OUT_MAX);
            struct json_writer w = json_writer(&buf);
            put_item(cx, &w, item);
            text = buf_str(&buf);
        }
        printf("%.*s: %.*s\n", STR_ARG(path_item_type_name(cx->arena, item)), STR_ARG(text));
    }
}

/* How fast this expression runs on this input, on one core. */
static err measure(struct ctx *cx, const struct path *path, const struct path_run *run,
                   int64_t times)
{
    struct path_result result;
    int64_t from_ns = clock_monotonic_ns();
    for (int64_t i = 0; i < times; i++) {
        struct arena_mark mark = arena_mark(cx->arena);
        TRY(path_eval(cx, path, run, &result));
        arena_rewind(cx->arena, mark);
    }
    double seconds = (double)(clock_monotonic_ns() - from_ns) / 1e9;
    if (times)
        fprintf(stderr, "%lld evaluations in %.3f s: %.0f a second\n", (long long)times, seconds,
                (double)times / seconds);
    return ERR_OK;
}

/* FHIR's XML as its JSON. */
static err read_input(struct ctx *cx, str text, struct json *out)
{
    str start = str_trim(text);
    return start.n && start.p[0] == '<' ? fhir_xml_read(cx, text, out) : json_parse(cx, text, out);
}

static err evaluate(struct ctx *cx, const struct command_args *args, struct path_result *out)
{
    const struct path *path;
    struct path_host host = { .trace = show_trace };
    struct path_run run = { .host = &host, .untyped = command_has(args, "--no-model") };
    str text;
    TRY(path_compile(cx, args->words[0], &path));
    TRY(read_file(cx, args->words[1], &text));
    TRY(read_input(cx, text, &run.input));
    path_known_host(cx, command_value(args, "--data"), &host);
    str type = json_string(cx->arena, json_get(run.input, S("resourceType")));
    if (!run.untyped && (!type.n || fhir_resource_find(type) == FHIR_NONE))
        return ctx_failf(cx, ERR_RULE, S(""), "%.*s is no FHIR resource; --no-model takes any JSON",
                         STR_ARG(args->words[1]));
    if (!run.untyped)
        TRY(path_check(cx, path, fhir_type_find(type)));
    TRY(path_eval(cx, path, &run, out));
    return measure(cx, path, &run, command_number(args, "--repeat", 0, 0, 1000000000));
}

static int run(struct ctx *cx, const struct command_args *args)
{
    struct path_result result;
    if (args->words_count != 2) {
        fprintf(stderr, "frontline fhirpath: an expression and a file are needed\n"
                        "Try: frontline fhirpath --help\n");
        return EXIT_USAGE;
    }
    if (evaluate(cx, args, &result) != ERR_OK)
        return command_fail(cx);
    if (command_has(args, "--json"))
        print_json(cx, &result);
    else
        print_lines(cx, &result);
    return EXIT_DONE;
}

static const struct command_option options[] = {
    { "--json", NULL, "print an array of {\"type\", \"value\"}", false, false },
    { "--no-model", NULL, "any JSON, without FHIR's types", false, false },
    { "--data", "DIR", "the data folder whose packages memberOf() and conformsTo() know", false,
      false },
    { "--repeat", "N", "run it N times more and tell the rate", false, false },
    { 0 },
};

extern const struct command cmd_fhirpath;
const struct command cmd_fhirpath = {
    .name = "fhirpath",
    .words = "EXPRESSION FILE",
    .summary = "evaluate a FHIRPath expression on a resource",
    .about = "Prints one line a result: its type and its value. FILE is JSON or FHIR's XML,\n"
             "or - for standard input. "
             "The expression is first checked against the type of the resource: an element it\n"
             "does not have is an error. trace() writes to standard error.",
    .options = options,
    .examples = "  frontline fhirpath \"Patient.name.where(use = 'official').given\" patient.json\n"
                "  frontline fhirpath 'name.given.first()' patient.json --json\n"
                "  frontline fhirpath 'a.b[0] + 1' any.json --no-model\n",
    .run = run,
};
