/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/dissent.h"
#include "base/clock.h"
#include "jobs/import.h"
#include "json/write.h"
#include "main/command.h"
#include "main/views.h"
#include "main/serve.h"
#include "store/store.h"
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- which files --- */

struct files {
    str *list;
    size_t count, cap;
    int64_t bytes;
};

static bool has_known_ending(str name)
{
    static const char *const packings[] = { ".gz", ".zst" };
    static const char *const endings[] = { ".json", ".ndjson", ".jsonl" };
    for (size_t i = 0; i < COUNT(packings); i++)
        if (str_ends(name, str_of(packings[i])))
            name = str_slice(name, 0, name.n - strlen(packings[i]));
    for (size_t i = 0; i < COUNT(endings); i++)
        if (str_ends(name, str_of(endings[i])))
            return true;
    return false;
}

static void add_file(struct ctx *cx, struct files *files, str path, int64_t bytes)
{
    files->list = arena_grow(cx->arena, files->list, files->count, &files->cap, sizeof path);
    files->list[files->count++] = path;
    files->bytes += bytes;
}

static err add_path(struct ctx *cx, struct files *files, str path, int depth);

static err add_folder(struct ctx *cx, struct files *files, str path, int depth)
{
    DIR *folder = opendir(arena_cstr(cx->arena, path));
    if (!folder || depth > 32) {
        if (folder)
            closedir(folder);
        return ctx_failf(cx, ERR_IO, (str){ 0 }, "the folder %.*s cannot be read", STR_ARG(path));
    }
    err wrong = ERR_OK;
    for (struct dirent *entry; !wrong && (entry = readdir(folder));) {
        str name = str_of(entry->d_name);
        if (str_starts(name, S(".")))
            continue;
        str whole = arena_printf(cx->arena, "%.*s/%s", STR_ARG(path), entry->d_name);
        struct stat info;
        bool is_folder = stat(whole.p, &info) == 0 && S_ISDIR(info.st_mode);
        if (is_folder || has_known_ending(name))
            wrong = add_path(cx, files, whole, depth + 1);
    }
    closedir(folder);
    return wrong;
}

static err add_path(struct ctx *cx, struct files *files, str path, int depth)
{
    struct stat info;
    if (str_eq(path, S("-"))) {
        add_file(cx, files, path, 0);
        return ERR_OK;
    }
    if (stat(arena_cstr(cx->arena, path), &info))
        return ctx_failf(cx, ERR_NOT_FOUND, (str){ 0 }, "there is no %.*s", STR_ARG(path));
    if (S_ISDIR(info.st_mode))
        return add_folder(cx, files, path, depth);
    add_file(cx, files, path, info.st_size);
    return ERR_OK;
}

/* Hospitals and staff come first: Synthea's patients name them. */
static int rank(str path)
{
    return str_find(path, S("hospitalInformation")) != STR_NONE ||
                   str_find(path, S("practitionerInformation")) != STR_NONE
               ? 0 : 1;
}

static int by_rank(const void *a, const void *b)
{
    str left = *(const str *)a, right = *(const str *)b;
    int order = rank(left) - rank(right);
    return order ? order : str_cmp(left, right);
}

/* --- progress --- */

struct bar {
    int64_t bytes, began_ms, shown_ms;
    bool on;
};
enum { BAR_CELLS = 30, BAR_EVERY_MS = 200 };

static void draw(const struct bar *bar, const struct import_counts *counts, int64_t now)
{
    double seconds = (double)(now - bar->began_ms) / 1000;
    double part = bar->bytes ? (double)counts->bytes / (double)bar->bytes : 0;
    part = part > 1 ? 1 : part;
    char cells[BAR_CELLS + 1];
    for (int i = 0; i < BAR_CELLS; i++)
        cells[i] = i < (int)(part * BAR_CELLS) ? '#' : '-';
    cells[BAR_CELLS] = '\0';
    fprintf(stderr, "\r[%s] %3.0f %%  %lld resources  %.0f/s", cells, part * 100,
            (long long)counts->read, (double)counts->read / (seconds > 0.1 ? seconds : 0.1));
    if (part > 0.01) {
        int left = (int)(seconds / part * (1 - part) + 0.5);
        fprintf(stderr, "  %d:%02d left ", left / 60, left % 60);
    }
}

static bool show(void *self, const struct import_counts *counts)
{
    struct bar *bar = self;
    int64_t now = clock_monotonic_ms();
    if (!bar->on || now - bar->shown_ms < BAR_EVERY_MS)
        return true;
    bar->shown_ms = now;
    draw(bar, counts, now);
    return true;
}

/* --- the report --- */

static void print_json(struct ctx *cx, const struct import_report *report, double seconds)
{
    struct buf buf = buf_make(cx->arena, (size_t)256 << 20);
    struct json_writer w = json_writer(&buf);
    const struct import_counts *c = &report->counts;
    json_open(&w, '{');
    json_put_u64(&w, "read", (uint64_t)c->read);
    json_put_u64(&w, "created", (uint64_t)c->created);
    json_put_u64(&w, "updated", (uint64_t)c->updated);
    json_put_u64(&w, "unchanged", (uint64_t)c->unchanged);
    json_put_u64(&w, "deleted", (uint64_t)c->deleted);
    json_put_u64(&w, "refused", (uint64_t)c->refused);
    json_put_raw(&w, "seconds", arena_printf(cx->arena, "%.3f", seconds));
    json_key(&w, "refusals");
    json_open(&w, '[');
    for (size_t i = 0; i < report->refusals_count; i++) {
        json_open(&w, '{');
        json_put_str(&w, "where", report->refusals[i].where);
        json_put_str(&w, "what", report->refusals[i].what);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_close(&w, '}');
    printf("%.*s\n", STR_ARG(buf_str(&buf)));
}

static void print_words(const struct import_report *report, double seconds)
{
    const struct import_counts *c = &report->counts;
    bool nothing = !c->created && !c->updated && !c->deleted;
    if (nothing && c->unchanged && !c->refused)
        printf("Nothing changed: all %lld resources are in the record already.\n",
               (long long)c->unchanged);
    printf("%lld resources read in %.1f s (%.0f a second): %lld new, %lld changed, "
           "%lld unchanged, %lld deleted, %lld refused\n",
           (long long)c->read, seconds, (double)c->read / (seconds > 0.001 ? seconds : 0.001),
           (long long)c->created, (long long)c->updated, (long long)c->unchanged,
           (long long)c->deleted, (long long)c->refused);
    fflush(stdout);
    for (size_t i = 0; i < report->refusals_count; i++)
        fprintf(stderr, "refused: %.*s: %.*s\n", STR_ARG(report->refusals[i].where),
                STR_ARG(report->refusals[i].what));
    if (c->refused > (int64_t)report->refusals_count)
        fprintf(stderr, "refused: and %lld more\n",
                (long long)c->refused - (long long)report->refusals_count);
}

/* Files that others refer to are written before the rest is read. */
static err read_all(struct ctx *cx, struct import *import, const struct files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        if (i && rank(files->list[i]) != rank(files->list[i - 1]))
            import_wait(import);
        err wrong = import_file(cx, import, files->list[i]);
        if (wrong == ERR_INVALID || wrong == ERR_LIMIT) {
            import_refuse_file(import, files->list[i], &cx->issues);
            cx->issues = (struct issues){ .arena = cx->arena };
            wrong = ERR_OK;
        }
        TRY(wrong);
    }
    return ERR_OK;
}

static err import_all(struct ctx *cx, struct store *store, const struct files *files,
                      struct bar *bar, struct import_report *out)
{
    struct import_options options = { .store = store, .who = S("frontline import"),
                                      .progress = show, .self = bar };
    struct import *import;
    TRY(import_start(cx, &options, &import));
    err wrong = read_all(cx, import, files);
    err fault = import_finish(cx, import, out);
    if (bar->on) {
        draw(bar, &out->counts, clock_monotonic_ms());
        fputc('\n', stderr);
    }
    return wrong ? wrong : fault;
}

static int run(struct ctx *cx, const struct command_args *args)
{
    struct files files = { 0 };
    struct store_options options = { .folder = command_value(args, "--data"), .create = true };
    struct store *store;
    for (size_t i = 0; i < args->words_count; i++)
        if (add_path(cx, &files, args->words[i], 0))
            return command_fail(cx);
    if (!files.count) {
        fprintf(stderr, "frontline import: no files; give files, folders or -\n");
        return EXIT_USAGE;
    }
    qsort(files.list, files.count, sizeof *files.list, by_rank);
    if (store_open(cx, &options, &store))
        return command_fail(cx);
    commit_set_claim_rules(store, serve_claims(cx->arena));
    commit_add_part(store, &dissent_part);
    if (views_open(cx, store, options.folder)) {
        store_close(store);
        return command_fail(cx);
    }
    struct bar bar = { .bytes = files.bytes, .began_ms = clock_monotonic_ms(),
                       .on = isatty(STDERR_FILENO) && !command_has(args, "--json") };
    struct import_report report = { 0 };
    err wrong = import_all(cx, store, &files, &bar, &report);
    store_close(store);
    double seconds = (double)(clock_monotonic_ms() - bar.began_ms) / 1000;
    if (command_has(args, "--json"))
        print_json(cx, &report, seconds);
    else
        print_words(&report, seconds);
    if (wrong)
        return command_fail(cx);
    return report.counts.refused ? EXIT_FAULT : EXIT_DONE;
}

static const struct command_option options[] = {
    { "--data", "DIR", "the data folder; made when it is not there", true, false },
    { "--json", NULL, "print the report as JSON", false, false },
    { 0 },
};

extern const struct command cmd_import;
const struct command cmd_import = {
    .name = "import",
    .words = "PATH...",
    .summary = "take resources from files into the record",
    .about = "Transaction, batch and collection Bundles, single resources and NDJSON; files, "
             "folders (searched for .json,\n.ndjson and .jsonl, also with .gz or .zst) or - for "
             "standard input. Every resource is validated; what is\nrefused is listed with file "
             "and line at the end, and the exit code is then 1. A second import of the same\n"
             "files changes nothing.",
    .options = options,
    .examples = "  frontline import --data hospital patients/\n"
                "  zcat export.ndjson.gz | frontline import --data hospital -\n"
                "  frontline import --data hospital --json Patient.ndjson.zst bundle.json\n",
    .data = COMMAND_DATA_MADE,
    .run = run,
    .noted = true,
};
