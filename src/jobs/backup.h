/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"

/*
 * backup: a data folder as one file, made beside a running server, and back.
 *
 * Shapes   "FRONTLINE-BACKUP-1\n", 'e' (encrypted) or 'p' (plain), 24 bytes that begin the cipher's
 *          stream, then frames: length (4 bytes, little-endian), that many bytes. Frames are
 *          libsodium's secretstream (XChaCha20-Poly1305), so a changed, missing, repeated or
 *          moved byte is found; the last frame carries the end mark, so a cut file is, too.
 *          Inside is one zstd stream: "NAME SIZE\n" and that many bytes for each file, "end\n".
 *          Each database is copied as of one instant; the record before the people, so that whoever
 *          wrote is known. What belongs to one run alone (write-ahead files, locks, exports) is
 *          left out.
 * Missing  key NULL: the file is plain; its frames are still proved, against damage, not forgery.
 * Errors   ERR_INVALID: not a backup, damaged, cut, or another key; ERR_CONFLICT: the target is
 *          there already; ERR_IO names the file. A backup or a restored folder has its name only
 *          once it is whole and on disk.
 * Limits   names of BACKUP_NAME_MAX bytes, without "..".
 */
enum { BACKUP_KEY_BYTES = 32, BACKUP_NAME_MAX = 200 };

struct backup_report {
    int64_t files, bytes; /* of the data folder */
    int64_t file_bytes;   /* of the backup */
};
struct backup_options {
    str folder;                /* the data folder; of backup_read: not given, prove only */
    str file;
    const unsigned char *key;  /* BACKUP_KEY_BYTES; NULL: plain */
    /* Now and then; false: stop. May be NULL. */
    bool (*go_on)(void *self, const char *what, int64_t done, int64_t total);
    void *self;
};
err backup_write(struct ctx *cx, const struct backup_options *options,
                 struct backup_report *out) MUST_USE;
/* Proves a backup, and writes it to a folder that is not there yet. */
err backup_read(struct ctx *cx, const struct backup_options *options,
                struct backup_report *out) MUST_USE;

/* A key as 64 hexadecimal digits in a file only its owner reads. */
err backup_key_make(struct ctx *cx, str file) MUST_USE;
err backup_key_read(struct ctx *cx, str file, unsigned char key[BACKUP_KEY_BYTES]) MUST_USE;
