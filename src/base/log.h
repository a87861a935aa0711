/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/str.h"

/*
 * log: what the running program tells its operator: one JSON object a line on standard error.
 *
 * Shapes   {"time":"2026-11-22T05:11:48.123Z","level":"info","id":"request id","text":"..."}
 * Limits   library layers never log; rest, jobs and main do, once, with the request id. A line is
 *          cut at LOG_LINE_MAX bytes. Thread-safe: a line is one write.
 */
enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };
enum { LOG_LINE_MAX = 4096 };

void log_set_level(enum log_level level); /* default LOG_INFO */
bool log_wants(enum log_level level);
bool log_level_find(str name, enum log_level *out); /* "error" "warning" "info" "debug" */
void log_line(enum log_level level, str request_id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Appends text as the inside of a JSON string; returns the bytes used, at most room. */
size_t log_escape(char *out, size_t room, str text);
