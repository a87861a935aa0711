/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "jobs/backup.h"
#include "json/write.h"
#include "main/command.h"
#include <sodium.h>
#include <unistd.h>

/* backup and restore: one data folder to one file, and back. */

struct bar {
    int64_t shown_ms;
    bool wanted;
};

static bool show(void *self, const char *what, int64_t done, int64_t total)
{
    struct bar *bar = self;
    int64_t now = clock_monotonic_ms();
    if (!bar->wanted || now - bar->shown_ms < 200 || total <= 0)
        return true;
    bar->shown_ms = now;
    fprintf(stderr, "\r%-30.30s %3.0f %%", what, 100.0 * (double)done / (double)total);
    return true;
}

struct job {
    struct backup_options options;
    unsigned char key[BACKUP_KEY_BYTES];
    struct bar bar;
};

/* A file without a key is made only by whoever says so. */
static err begin(struct ctx *cx, const struct command_args *args, struct job *job)
{
    bool plain = command_has(args, "--plain");
    str key_file = command_value(args, "--key-file");
    job->bar.wanted = isatty(STDERR_FILENO) && !command_has(args, "--json");
    job->options = (struct backup_options){ .folder = command_value(args, "--data"),
                                            .go_on = show, .self = &job->bar };
    if (plain == str_given(key_file))
        return ctx_fail(cx, ERR_INVALID, (str){ 0 },
                        S("give --key-file FILE (frontline backup --make-key FILE makes one), or "
                          "--plain for a file anyone can read"));
    if (!plain)
        TRY(backup_key_read(cx, key_file, job->key));
    job->options.key = plain ? NULL : job->key;
    return ERR_OK;
}

static int finish(struct ctx *cx, const struct command_args *args, struct job *job,
                  const struct backup_report *report, const char *done)
{
    str file = job->options.file;
    sodium_memzero(job->key, sizeof job->key);
    if (job->bar.wanted)
        fprintf(stderr, "\r%40s\r", "");
    if (!command_has(args, "--json")) {
        printf("%.*s: %s: %lld files, %lld bytes of data in %lld\n", STR_ARG(file), done,
               (long long)report->files, (long long)report->bytes, (long long)report->file_bytes);
        return EXIT_DONE;
    }
    struct buf buf = buf_make(cx->arena, 4096);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_put_str(&w, "file", file);
    json_put_u64(&w, "files", (uint64_t)report->files);
    json_put_u64(&w, "bytes", (uint64_t)report->bytes);
    json_put_u64(&w, "file_bytes", (uint64_t)report->file_bytes);
    json_close(&w, '}');
    printf("%.*s\n", STR_ARG(buf_str(&buf)));
    return EXIT_DONE;
}

/* What was written is read again before it is called a backup. */
static err back_up(struct ctx *cx, struct job *job, struct backup_report *report)
{
    struct backup_options again = job->options;
    struct backup_report proved;
    TRY(backup_write(cx, &job->options, report));
    again.folder = (str){ 0 };
    TRY(backup_read(cx, &again, &proved));
    if (proved.files != report->files || proved.bytes != report->bytes)
        return ctx_fail(cx, ERR_IO, (str){ 0 }, S("the backup does not hold what was written"));
    return ERR_OK;
}

static int run_backup(struct ctx *cx, const struct command_args *args)
{
    struct job job = { 0 };
    struct backup_report report;
    str key = command_value(args, "--make-key");
    if (str_given(key)) {
        if (backup_key_make(cx, key))
            return command_fail(cx);
        printf("%.*s: a new key. Keep a copy where the backups are not: without it they cannot be "
               "read.\n", STR_ARG(key));
        return EXIT_DONE;
    }
    if (args->words_count != 1 || !command_has(args, "--data")) {
        fprintf(stderr, "frontline backup: say FILE and --data DIR\n"
                        "Try: frontline backup --help\n");
        return EXIT_USAGE;
    }
    err wrong = begin(cx, args, &job);
    job.options.file = args->words[0];
    if (wrong || back_up(cx, &job, &report))
        return command_fail(cx);
    return finish(cx, args, &job, &report, "written and proved");
}

static int run_restore(struct ctx *cx, const struct command_args *args)
{
    struct job job = { 0 };
    struct backup_report report;
    bool prove = command_has(args, "--prove");
    if (args->words_count != 1 || prove == command_has(args, "--data")) {
        fprintf(stderr, "frontline restore: say FILE, and either --data DIR or --prove\n"
                        "Try: frontline restore --help\n");
        return EXIT_USAGE;
    }
    err wrong = begin(cx, args, &job);
    job.options.file = args->words[0];
    if (wrong || backup_read(cx, &job.options, &report) || (!prove && command_note(cx, args)))
        return command_fail(cx);
    return finish(cx, args, &job, &report,
                  prove ? "whole" : "restored; frontline check proves the record");
}

static const struct command_option backup_options[] = {
    { "--data", "DIR", "the data folder", false, false },
    { "--key-file", "FILE", "the key that seals it", false, false },
    { "--plain", NULL, "not sealed: anyone who has the file can read it", false, false },
    { "--make-key", "FILE", "make a new key and do nothing else", false, false },
    { "--json", NULL, "print the result as JSON", false, false },
    { 0 },
};
static const struct command_option restore_options[] = {
    { "--data", "DIR", "a new data folder", false, false },
    { "--prove", NULL, "read all of it and write nothing", false, false },
    { "--key-file", "FILE", "the key that sealed it", false, false },
    { "--plain", NULL, "it was not sealed", false, false },
    { "--json", NULL, "print the result as JSON", false, false },
    { 0 },
};

extern const struct command cmd_backup, cmd_restore;
const struct command cmd_backup = {
    .name = "backup",
    .words = "[FILE]",
    .summary = "copy the data folder into one sealed file, beside a running server",
    .about = "Record, people, terminology and packages, each database as of one instant. The file "
             "is packed and sealed with the key, and\nread again before the command ends. Nothing "
             "that is there is written over.",
    .options = backup_options,
    .examples = "  frontline backup --make-key /etc/frontline/backup.key\n"
                "  frontline backup /backup/monday.flb --data hospital "
                "--key-file /etc/frontline/backup.key\n",
    .run = run_backup,
    .noted = true,
};
const struct command cmd_restore = {
    .name = "restore",
    .words = "FILE",
    .summary = "make a data folder from a backup, or prove that it is whole",
    .about = "The folder must not be there yet; it has its name only once all of it is on disk. A "
             "file that is cut, changed or sealed\nwith another key is refused.",
    .options = restore_options,
    .examples = "  frontline restore /backup/monday.flb --data hospital-again "
                "--key-file /etc/frontline/backup.key\n"
                "  frontline restore /backup/monday.flb --prove "
                "--key-file /etc/frontline/backup.key --json\n",
    .data = COMMAND_DATA_MADE,
    .run = run_restore,
};
