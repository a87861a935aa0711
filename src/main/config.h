/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"

/*
 * config: what an operator may set, from one file and from --set section.key=value.
 *
 * Shapes   the file is INI: [section], key = value, comments with ; or #. Every key stands in one
 *          table, from which `frontline config` and docs/reference/configuration.md are made.
 * Errors   ERR_INVALID: an unknown key or a value out of its bounds, with file and line; ERR_IO:
 *          the file cannot be read. Every fault is reported, not only the first.
 * Memory   values live in cx's arena. Missing  a key that is not set has its default.
 */
enum config_kind { CONFIG_NUMBER, CONFIG_BYTES, CONFIG_SWITCH, CONFIG_TEXT };
struct config_key {
    const char *name;     /* "http.body_bytes" */
    enum config_kind kind;
    const char *fallback; /* as one would write it: "64M", "yes" */
    int64_t least, most;  /* numbers and bytes */
    const char *doc;
};
extern const struct config_key config_keys[]; /* by section; ended by a zero row */
enum { CONFIG_KEYS_MAX = 128, CONFIG_FILE_MAX = 1 << 20 };

struct config {
    str values[CONFIG_KEYS_MAX]; /* in the order of config_keys */
};
/* path not given: no file. `sets` are the texts of --set, and win over the file. */
err config_read(struct ctx *cx, str path, const str *sets, size_t sets_count, struct config *out)
    MUST_USE;
/* These end the process on a name that is not in the table: that is our own bug. */
int64_t config_number(const struct config *config, const char *name);
bool config_switch(const struct config *config, const char *name);
str config_text(const struct config *config, const char *name);
