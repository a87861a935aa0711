/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/err.h"

/*
 * issues: what went wrong in one request, in words its sender can act on.
 *
 * Shapes   each issue becomes one OperationOutcome.issue: severity and code from `kind`, `path` as
 *          the FHIRPath expression (empty when it concerns the whole request), `text` as the details.
 * Limits   at most ISSUES_MAX are kept; `count` keeps counting so that the answer can say "and more".
 */
enum { ISSUES_MAX = 100 };
enum issue_severity { ISSUE_ERROR, ISSUE_WARNING, ISSUE_INFORMATION };

struct issue {
    err kind;
    enum issue_severity severity;
    const char *code; /* FHIR issue type; NULL: the one of `kind` */
    str path, text;
};
struct issues {
    struct arena *arena;
    struct issue *list;
    size_t count, kept, cap;
};

/* Adds an error and returns its kind, so that `return issues_add(...)` reads well. */
err issues_add(struct issues *issues, err kind, str path, str text);
void issues_note(struct issues *issues, struct issue issue); /* any severity or code */
bool issues_has_error(const struct issues *issues);

/* The one table from kinds to the outside world. */
int err_http_status(err kind);
const char *err_fhir_code(err kind); /* FHIR IssueType */
const char *err_name(err kind);      /* for logs and metrics */
