/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/backup.h"
#include "db/db.h"
#include "jobs/backup_stream.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE_BYTES = 1 << 20, FILES_MAX = 10000, FOLDERS_DEEP = 4 };

static err fail_file(struct ctx *cx, str path, const char *what)
{
    return ctx_failf(cx, ERR_IO, (str){ 0 }, "%.*s cannot be %s: %s", STR_ARG(path), what,
                     strerror(errno));
}

static bool tell(const struct backup_options *options, const char *what, int64_t done,
                 int64_t total)
{
    return !options->go_on || options->go_on(options->self, what, done, total);
}

static err sync_folder(struct ctx *cx, str folder)
{
    int descriptor = open(arena_cstr(cx->arena, folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = descriptor >= 0 && fsync(descriptor) == 0;
    if (descriptor >= 0)
        close(descriptor);
    return good ? ERR_OK : fail_file(cx, folder, "written");
}

/* ---- what a data folder holds ---- */

struct listing {
    struct ctx *cx;
    str folder;
    str *names; /* within the folder: "record.db", "packages/uk.ndjson" */
    size_t count, cap;
};

/* Of one run alone, or made anew: locks, write-ahead files, exports, half-written files. */
static bool is_passing(str name)
{
    static const char *const ends[] = { "-wal", "-shm", "-journal", ".part", ".tmp", "lock" };
    static const char *const starts[] = { "bulk/", "check.", "backup-" };
    for (size_t i = 0; i < COUNT(ends); i++)
        if (str_ends(name, str_of(ends[i])))
            return true;
    for (size_t i = 0; i < COUNT(starts); i++)
        if (str_starts(name, str_of(starts[i])))
            return true;
    return false;
}

static err list_folder(struct listing *list, str within, int depth);

static err take_name(struct listing *list, str name, int depth)
{
    struct ctx *cx = list->cx;
    struct stat info;
    str path = arena_printf(cx->arena, "%.*s/%.*s", STR_ARG(list->folder), STR_ARG(name));
    if (lstat(path.p, &info))
        return errno == ENOENT ? ERR_OK : fail_file(cx, path, "read");
    if (S_ISDIR(info.st_mode) && depth < FOLDERS_DEEP)
        return list_folder(list, arena_printf(cx->arena, "%.*s/", STR_ARG(name)), depth + 1);
    if (!S_ISREG(info.st_mode) || is_passing(name))
        return ERR_OK;
    if (list->count == FILES_MAX || name.n > BACKUP_NAME_MAX)
        return ctx_failf(cx, ERR_LIMIT, (str){ 0 }, "%.*s: too many files, or too long a name",
                         STR_ARG(path));
    list->names = arena_grow(cx->arena, list->names, list->count, &list->cap,
                             sizeof *list->names);
    list->names[list->count++] = name;
    return ERR_OK;
}

static err list_folder(struct listing *list, str within, int depth)
{
    struct ctx *cx = list->cx;
    str path = arena_printf(cx->arena, "%.*s/%.*s", STR_ARG(list->folder), STR_ARG(within));
    DIR *dir = opendir(path.p);
    err wrong = dir ? ERR_OK : fail_file(cx, path, "read");
    for (struct dirent *entry; !wrong && (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            wrong = take_name(list, arena_printf(cx->arena, "%.*s%s", STR_ARG(within),
                                                 entry->d_name), depth);
    if (dir)
        closedir(dir);
    return wrong;
}

static int by_order(const void *a, const void *b)
{
    str x = *(const str *)a, y = *(const str *)b;
    bool first = str_eq(x, S("record.db")), second = str_eq(y, S("record.db"));
    return first != second ? (first ? -1 : 1) : str_cmp(x, y);
}

static err list_files(struct ctx *cx, str folder, struct listing *out)
{
    *out = (struct listing){ .cx = cx, .folder = folder };
    TRY(list_folder(out, S(""), 0));
    if (!out->count)
        return ctx_failf(cx, ERR_NOT_FOUND, (str){ 0 }, "%.*s holds no data", STR_ARG(folder));
    qsort(out->names, out->count, sizeof *out->names, by_order);
    return ERR_OK;
}

/* ---- writing ---- */

struct writing {
    struct ctx *cx;
    const struct backup_options *options;
    struct backup_stream *stream;
    struct backup_report *report;
    const char *what; /* the file being written */
};

static err put_content(struct writing *w, FILE *file, str path, int64_t size)
{
    char *piece = arena_alloc(w->cx->arena, PIECE_BYTES);
    for (int64_t done = 0; done < size;) {
        size_t want = size - done < PIECE_BYTES ? (size_t)(size - done) : PIECE_BYTES;
        if (fread(piece, 1, want, file) != want)
            return fail_file(w->cx, path, "read");
        TRY(backup_stream_put(w->cx, w->stream, (str){ piece, want }));
        done += (int64_t)want;
        if (!tell(w->options, w->what, done, size))
            return ctx_fail(w->cx, ERR_BUSY, (str){ 0 }, S("the backup was stopped"));
    }
    w->report->files++;
    w->report->bytes += size;
    return ERR_OK;
}

static err put_file(struct writing *w, str name, str path)
{
    struct arena_mark mark = arena_mark(w->cx->arena);
    FILE *file = fopen(path.p, "rbe");
    struct stat info;
    if (!file || fstat(fileno(file), &info)) {
        if (file)
            fclose(file);
        return fail_file(w->cx, path, "read");
    }
    str head = arena_printf(w->cx->arena, "%.*s %lld\n", STR_ARG(name), (long long)info.st_size);
    err wrong = backup_stream_put(w->cx, w->stream, head);
    if (!wrong)
        wrong = put_content(w, file, path, info.st_size);
    fclose(file);
    if (!wrong)
        arena_rewind(w->cx->arena, mark);
    return wrong;
}

static bool copy_goes_on(void *self, int64_t done, int64_t total)
{
    const struct writing *w = self;
    return tell(w->options, w->what, done, total);
}

/* Copied as of one instant into the data folder, where it is as safe as the data, then read. */
static err put_database(struct writing *w, str name, str path)
{
    struct ctx *cx = w->cx;
    struct db *db;
    str copy = arena_printf(cx->arena, "%.*s/backup-%d.tmp", STR_ARG(w->options->folder),
                            (int)getpid());
    unlink(copy.p);
    TRY(db_open(cx, &(struct db_options){ .path = path, .read_only = true }, &db));
    int descriptor = open(copy.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    err wrong = descriptor < 0 ? fail_file(cx, copy, "made") : ERR_OK;
    if (descriptor >= 0)
        close(descriptor);
    if (!wrong)
        wrong = db_copy(cx, db, copy, copy_goes_on, w);
    db_close(db);
    if (!wrong)
        wrong = put_file(w, name, copy);
    unlink(copy.p);
    return wrong;
}

static err put_all(struct writing *w)
{
    struct listing list;
    TRY(list_files(w->cx, w->options->folder, &list));
    for (size_t i = 0; i < list.count; i++) {
        str name = list.names[i];
        str path = arena_printf(w->cx->arena, "%.*s/%.*s", STR_ARG(w->options->folder),
                                STR_ARG(name));
        w->what = arena_cstr(w->cx->arena, name);
        TRY(str_ends(name, S(".db")) ? put_database(w, name, path) : put_file(w, name, path));
    }
    return backup_stream_put(w->cx, w->stream, S("end\n"));
}

static err parent_of(struct ctx *cx, str path, str *out)
{
    size_t slash = path.n;
    while (slash > 0 && path.p[slash - 1] != '/')
        slash--;
    *out = slash > 1 ? str_slice(path, 0, slash - 1) : slash == 1 ? S("/") : S(".");
    return sync_folder(cx, *out);
}

err backup_write(struct ctx *cx, const struct backup_options *options, struct backup_report *out)
{
    struct writing w = { .cx = cx, .options = options, .report = out };
    str parent;
    *out = (struct backup_report){ 0 };
    if (access(arena_cstr(cx->arena, options->file), F_OK) == 0)
        return ctx_failf(cx, ERR_CONFLICT, (str){ 0 }, "%.*s is there already; backups are never "
                         "written over", STR_ARG(options->file));
    err wrong = backup_stream_create(cx, options->file, options->key, &w.stream);
    if (!wrong)
        wrong = put_all(&w);
    if (!wrong)
        wrong = backup_stream_finish(cx, w.stream, &out->file_bytes);
    backup_stream_free(w.stream);
    return wrong ? wrong : parent_of(cx, options->file, &parent);
}

/* ---- reading ---- */

struct reading {
    struct ctx *cx;
    const struct backup_options *options;
    struct backup_stream *stream;
    struct backup_report *report;
    str target;     /* the folder being filled; not given: prove only */
};

/* "NAME SIZE\n" or "end\n". */
static err take_head(struct reading *r, str *name, int64_t *size)
{
    char *line = arena_alloc(r->cx->arena, BACKUP_NAME_MAX + 32);
    size_t n = 0;
    uint64_t value;
    for (; n < BACKUP_NAME_MAX + 32; n++) {
        TRY(backup_stream_take(r->cx, r->stream, line + n, 1));
        if (line[n] == '\n')
            break;
    }
    str text = { line, n };
    *name = (str){ 0 };
    if (str_eq(text, S("end")))
        return ERR_OK;
    size_t space = n;
    while (space > 0 && line[space - 1] != ' ')
        space--;
    if (space < 2 || !str_to_u64(str_slice(text, space, n), &value) || value > INT64_MAX)
        return ctx_fail(r->cx, ERR_INVALID, (str){ 0 }, S("the backup holds no list of files"));
    *name = str_slice(text, 0, space - 1);
    *size = (int64_t)value;
    return ERR_OK;
}

static bool is_safe(str name)
{
    return name.n > 0 && name.p[0] != '/' && str_find(name, S("..")) == STR_NONE;
}

static err make_folders(struct ctx *cx, str path, size_t from)
{
    for (size_t i = from; i < path.n; i++) {
        if (path.p[i] != '/')
            continue;
        str folder = str_slice(path, 0, i);
        if (mkdir(arena_cstr(cx->arena, folder), 0700) && errno != EEXIST)
            return fail_file(cx, folder, "made");
    }
    return ERR_OK;
}

static err take_content(struct reading *r, FILE *file, str name, int64_t size)
{
    char *piece = arena_alloc(r->cx->arena, PIECE_BYTES);
    const char *what = arena_cstr(r->cx->arena, name);
    for (int64_t done = 0; done < size;) {
        size_t want = size - done < PIECE_BYTES ? (size_t)(size - done) : PIECE_BYTES;
        TRY(backup_stream_take(r->cx, r->stream, piece, want));
        if (file && fwrite(piece, 1, want, file) != want)
            return fail_file(r->cx, name, "written");
        done += (int64_t)want;
        if (!tell(r->options, what, done, size))
            return ctx_fail(r->cx, ERR_BUSY, (str){ 0 }, S("stopped"));
    }
    r->report->files++;
    r->report->bytes += size;
    return ERR_OK;
}

static err take_file(struct reading *r, str name, int64_t size)
{
    struct ctx *cx = r->cx;
    if (!is_safe(name))
        return ctx_failf(cx, ERR_INVALID, (str){ 0 }, "the backup holds an unsafe name: %.*s",
                         STR_ARG(name));
    if (!str_given(r->target))
        return take_content(r, NULL, name, size);
    str path = arena_printf(cx->arena, "%.*s/%.*s", STR_ARG(r->target), STR_ARG(name));
    TRY(make_folders(cx, path, r->target.n + 1));
    int descriptor = open(path.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "wb");
    if (!file)
        return fail_file(cx, path, "made");
    err wrong = take_content(r, file, name, size);
    bool whole = fflush(file) == 0 && fsync(descriptor) == 0;
    whole = fclose(file) == 0 && whole;
    return wrong ? wrong : whole ? ERR_OK : fail_file(cx, path, "written");
}

static err take_all(struct reading *r)
{
    for (;;) {
        struct arena_mark mark = arena_mark(r->cx->arena);
        str name;
        int64_t size;
        TRY(take_head(r, &name, &size));
        if (!str_given(name))
            return backup_stream_end(r->cx, r->stream, &r->report->file_bytes);
        TRY(take_file(r, name, size));
        arena_rewind(r->cx->arena, mark);
    }
}

/* A target that is there, but empty, may be used. */
static err begin_target(struct ctx *cx, str folder, str *part)
{
    rmdir(arena_cstr(cx->arena, folder));
    if (access(arena_cstr(cx->arena, folder), F_OK) == 0)
        return ctx_failf(cx, ERR_CONFLICT, (str){ 0 }, "%.*s is there already; restore to a new "
                         "folder", STR_ARG(folder));
    *part = arena_printf(cx->arena, "%.*s.part", STR_ARG(folder));
    if (mkdir(part->p, 0700))
        return errno == EEXIST
                   ? ctx_failf(cx, ERR_CONFLICT, (str){ 0 }, "%.*s is left from a restore that was "
                               "cut off; remove it first", STR_ARG(*part))
                   : fail_file(cx, *part, "made");
    return ERR_OK;
}

err backup_read(struct ctx *cx, const struct backup_options *options, struct backup_report *out)
{
    struct reading r = { .cx = cx, .options = options, .report = out };
    str parent;
    *out = (struct backup_report){ 0 };
    err wrong = backup_stream_open(cx, options->file, options->key, &r.stream);
    if (!wrong && str_given(options->folder))
        wrong = begin_target(cx, options->folder, &r.target);
    if (!wrong)
        wrong = take_all(&r);
    backup_stream_free(r.stream);
    if (wrong || !str_given(r.target))
        return wrong;
    TRY(sync_folder(cx, r.target));
    if (rename(r.target.p, arena_cstr(cx->arena, options->folder)))
        return fail_file(cx, options->folder, "made");
    return parent_of(cx, options->folder, &parent);
}

/* ---- keys ---- */

err backup_key_make(struct ctx *cx, str file)
{
    unsigned char key[BACKUP_KEY_BYTES];
    char hex[2 * BACKUP_KEY_BYTES + 1];
    int descriptor = open(arena_cstr(cx->arena, file), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                          0600);
    if (descriptor < 0)
        return fail_file(cx, file, "made");
    randombytes_buf(key, sizeof key);
    sodium_bin2hex(hex, sizeof hex, key, sizeof key);
    hex[sizeof hex - 1] = '\n';
    bool whole = write(descriptor, hex, sizeof hex) == (ssize_t)sizeof hex &&
                 fsync(descriptor) == 0;
    whole = close(descriptor) == 0 && whole;
    sodium_memzero(key, sizeof key);
    sodium_memzero(hex, sizeof hex);
    return whole ? ERR_OK : fail_file(cx, file, "written");
}

err backup_key_read(struct ctx *cx, str file, unsigned char key[BACKUP_KEY_BYTES])
{
    char hex[2 * BACKUP_KEY_BYTES + 2];
    struct stat info;
    size_t n = 0;
    FILE *open_file = fopen(arena_cstr(cx->arena, file), "re");
    if (!open_file || fstat(fileno(open_file), &info)) {
        if (open_file)
            fclose(open_file);
        return fail_file(cx, file, "read");
    }
    size_t got = fread(hex, 1, sizeof hex, open_file);
    fclose(open_file);
    if (info.st_mode & (S_IRWXG | S_IRWXO))
        return ctx_failf(cx, ERR_FORBIDDEN, (str){ 0 }, "others may read %.*s: chmod 600 it first",
                         STR_ARG(file));
    if (sodium_hex2bin(key, BACKUP_KEY_BYTES, hex, got, "\n", &n, NULL) || n != BACKUP_KEY_BYTES)
        return ctx_failf(cx, ERR_INVALID, (str){ 0 }, "%.*s holds no key; one is made by frontline "
                         "backup --make-key", STR_ARG(file));
    sodium_memzero(hex, sizeof hex);
    return ERR_OK;
}
