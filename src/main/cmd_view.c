/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "main/command.h"
#include "main/read_file.h"
#include "view/view_bulk.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static err write_out(void *self, str text)
{
    return fwrite(text.p, 1, text.n, self) == text.n ? ERR_OK : ERR_IO;
}

static bool read_format(const struct command_args *args, enum view_format *out)
{
    static const char *const names[] = { "ndjson", "csv", "json" };
    static const enum view_format formats[] = { VIEW_NDJSON, VIEW_CSV, VIEW_JSON_ARRAY };
    str wanted = command_has(args, "--json") ? S("json") : command_value(args, "--format");
    *out = VIEW_NDJSON;
    for (size_t i = 0; i < COUNT(names); i++)
        if (str_eq(wanted, str_of(names[i]))) {
            *out = formats[i];
            return true;
        }
    return !str_given(wanted);
}

/* A text whose first line is a whole JSON value is NDJSON; else all of it is one value. */
static bool is_ndjson(struct ctx *cx, str text)
{
    struct json value;
    struct arena_mark mark = arena_mark(cx->arena);
    struct ctx inner = ctx_make(cx->arena);
    str rest = str_trim(text), line = S("");
    if (!rest.n)
        return true; /* nothing gives no rows */
    str_next(&rest, '\n', &line);
    bool whole = json_parse(&inner, line, &value) == ERR_OK;
    arena_rewind(cx->arena, mark);
    return whole;
}

/* One JSON value over many lines: the view reads it as one line would be. */

static bool next_whole(struct view_source *source, struct view_piece *out)
{
    if (source->at)
        return false;
    source->at = 1;
    *out = (struct view_piece){ 0, 0 };
    return true;
}

static err run_whole(struct ctx *cx, struct view_source *source, struct view_piece piece,
                     struct view_sink *sink)
{
    struct json value;
    (void)piece;
    TRY(json_parse(cx, (str){ source->text.p, (size_t)source->end }, &value));
    return view_sink_take(cx, sink, value);
}

/* A regular file is mapped, so that its size does not matter; anything else is read. */
static err open_text(struct ctx *cx, str path, str *out)
{
    struct stat info;
    int file = str_eq(path, S("-")) ? -1 : open(arena_cstr(cx->arena, path), O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size == 0) {
        if (file >= 0)
            close(file);
        return read_file(cx, path, out);
    }
    void *p = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    close(file);
    if (p == MAP_FAILED)
        return ctx_failf(cx, ERR_IO, S(""), "%.*s cannot be read", STR_ARG(path));
    *out = (str){ p, (size_t)info.st_size };
    return ERR_OK;
}

static err run_text(struct ctx *cx, struct view_bulk *bulk, str path)
{
    str text;
    TRY(open_text(cx, path, &text));
    struct view_source source = view_source_of_ndjson(text);
    if (!is_ndjson(cx, text)) {
        struct json value;
        TRY(json_parse(cx, text, &value)); /* says line and column of the whole file */
        source.next = next_whole;
        source.run = run_whole;
        source.end = (int64_t)text.n;
    }
    return view_bulk_run(cx, bulk, &source);
}

static err run_store(struct ctx *cx, struct view_bulk *bulk, str path)
{
    struct store *store;
    struct view_source source;
    struct store_options options = { .folder = path, .read_only = true };
    TRY(store_open(cx, &options, &store));
    err error = view_source_of_store(cx, store, bulk->view, &source);
    if (!error)
        error = view_bulk_run(cx, bulk, &source);
    ctx_release(cx);
    store_close(store);
    return error;
}

static err compile(struct ctx *cx, str path, const struct view **out)
{
    str text;
    struct json definition;
    TRY(read_file(cx, path, &text));
    TRY(json_parse(cx, text, &definition));
    return view_compile(cx, definition, out);
}

static err run_view(struct ctx *cx, const struct command_args *args, struct view_bulk *bulk)
{
    struct stat info;
    str input = args->words[2];
    TRY(compile(cx, args->words[1], &bulk->view));
    bool folder = stat(arena_cstr(cx->arena, input), &info) == 0 && S_ISDIR(info.st_mode);
    return folder ? run_store(cx, bulk, input) : run_text(cx, bulk, input);
}

static int run(struct ctx *cx, const struct command_args *args)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct view_bulk bulk = { .write = write_out, .self = stdout };
    if (args->words_count != 3 || !str_eq(args->words[0], S("run")) ||
        !read_format(args, &bulk.format)) {
        fprintf(stderr, "frontline view: use: frontline view run VIEW.json INPUT "
                        "[--format ndjson|csv|json]\nTry: frontline view --help\n");
        return EXIT_USAGE;
    }
    bulk.threads = (int)command_number(args, "--threads", cores > 0 ? cores : 1, 1, 16);
    int64_t from_ns = clock_monotonic_ns();
    err error = run_view(cx, args, &bulk);
    if (fflush(stdout) != 0 && !error)
        error = ctx_fail(cx, ERR_IO, S(""), S("the rows cannot be written"));
    double seconds = (double)(clock_monotonic_ns() - from_ns) / 1e9;
    if (command_has(args, "--verbose"))
        fprintf(stderr, "%lld resources, %lld rows in %.3f s: %.0f resources a second\n",
                (long long)bulk.resources, (long long)bulk.rows, seconds,
                (double)bulk.resources / seconds);
    return error ? command_fail(cx) : EXIT_DONE;
}

static const struct command_option options[] = {
    { "--format", "FORMAT", "ndjson (unless given), csv or json", false, false },
    { "--threads", "N", "as many as there are processors, unless given", false, false },
    { "--json", NULL, "the same as --format json", false, false },
    { "--verbose", NULL, "counts and rate on standard error", false, false },
    { 0 },
};

extern const struct command cmd_view;
const struct command cmd_view = {
    .name = "view",
    .words = "run VIEW.json INPUT",
    .summary = "run a SQL on FHIR ViewDefinition and print its rows",
    .about = "INPUT is NDJSON, a Bundle, a JSON array of resources, one resource, a data folder,\n"
             "or - for standard input. Resources of other types than the view's give no rows. The\n"
             "first fault ends the run: rows before it stand.",
    .options = options,
    .examples = "  frontline view run patients.json Patient.ndjson\n"
                "  frontline view run bp.json data/demo --format csv > bp.csv\n",
    .run = run,
};
