/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/random.h"
#include "jobs/import.h"
#include <assert.h>
#include <dirent.h>
#include <unistd.h>

/*
 * Goal: whatever the bytes of a file (plain, gzip or zstd; a document or lines), the import ends,
 * what it read is either in the record or refused, and reading it again changes nothing.
 */
static struct arena memory;
static struct ctx program;
static struct random chance;
static struct store *store;
static char folder[] = "/tmp/frontline_fuzz_XXXXXX";

static void clean_up(void)
{
    store_close(store);
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        unlink(arena_printf(&memory, "%s/%s", folder, entry->d_name).p);
    if (dir)
        closedir(dir);
    rmdir(folder);
    arena_free(&memory);
}

static void open_once(void)
{
    if (store)
        return;
    memory = arena_make((size_t)64 << 20);
    program = ctx_make(&memory);
    chance = random_seeded(1);
    program.random = &chance;
    bool made = mkdtemp(folder) != NULL;
    assert(made);
    struct store_options options = { .folder = str_of(folder), .create = true };
    err wrong = store_open(&program, &options, &store);
    assert(wrong == ERR_OK && made);
    atexit(clean_up);
}

static struct import_counts take(str path)
{
    struct arena arena = arena_make((size_t)64 << 20);
    struct ctx cx = ctx_make(&arena);
    struct import_options options = { .store = store, .threads = 1 };
    struct import *import = NULL;
    struct import_report report;
    cx.random = &chance;
    err wrong = import_start(&cx, &options, &import);
    assert(wrong == ERR_OK);
    wrong = import_file(&cx, import, path);
    assert(wrong == ERR_OK || wrong == ERR_INVALID || wrong == ERR_LIMIT);
    wrong = import_finish(&cx, import, &report);
    assert(wrong == ERR_OK);
    struct import_counts counts = report.counts;
    ctx_release(&cx);
    arena_free(&arena);
    return counts;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    open_once();
    struct arena_mark mark = arena_mark(&memory);
    str path = arena_printf(&memory, "%s/input", folder);
    FILE *file = fopen(path.p, "w");
    bool written = file && fwrite(data, 1, size, file) == size && fclose(file) == 0;
    assert(written);
    struct import_counts first = take(path);
    int64_t seq = store_seq(store);
    struct import_counts second = take(path);
    bool repeats = first.updated || first.deleted; /* one id twice: the last one stands each time */
    assert(repeats || (second.created == 0 && store_seq(store) == seq));
    (void)written, (void)seq, (void)second, (void)repeats;
    arena_rewind(&memory, mark);
    return 0;
}
