/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"

/*
 * rule: the register of clinical rules: what each is called, takes, gives, and where it comes from.
 *
 * Source   each rule names its own, with the version and date of its table.
 * Shapes   inputs come as "name=value" words; a result is a list of named fields, some in a group
 *          ("parts"). The command line, the documentation and the tests read the same rows.
 * Units    of each input in its row. A number is held as a whole number of `decimals` places:
 *          37.5 at one decimal is 375. Finer text is rounded half up; at 0 decimals it is refused.
 * Missing  an input not given is RULE_MISSING; a required one is an error that names it. Never
 *          zero.
 * Errors   ERR_INVALID: unknown, repeated, missing, malformed or impossible input, one issue each,
 *          with the input's name as its path; ERR_RULE: the rule may not be used for this person,
 *          or has no signed table.
 * Memory   results and texts in cx's arena or static. Thread-safe.
 * Limits   RULE_INPUTS_MAX inputs, RULE_FIELDS_MAX fields.
 */
enum { RULE_INPUTS_MAX = 24, RULE_FIELDS_MAX = 40 };
#define RULE_MISSING INT64_MIN

enum rule_kind { RULE_NUMBER, RULE_FLAG, RULE_TEXT, RULE_TABLE };
struct rule_input {
    const char *name, *unit, *doc;
    enum rule_kind kind;
    int decimals;
    int64_t least, most; /* what can be measured at all; outside it the value is a slip */
    bool optional;
};
struct rule_arg {
    int64_t number; /* RULE_MISSING when not given; a flag is 0 or 1 */
    str text;       /* as given */
};

enum rule_field_kind { RULE_FIELD_NULL, RULE_FIELD_NUMBER, RULE_FIELD_BOOL, RULE_FIELD_TEXT };
struct rule_field {
    const char *group, *name; /* group NULL: at the top */
    enum rule_field_kind kind;
    int64_t number;           /* scaled by `decimals` */
    int decimals;
    str text;
};
struct rule_result {
    struct rule_field fields[RULE_FIELDS_MAX];
    size_t count;
};

struct rule {
    const char *name, *title;
    const char *source;    /* publisher, document, date, section */
    const char *table;     /* version of the threshold table */
    const char *effective; /* yyyy-mm-dd from which this table holds */
    const char *caveat;    /* who must not be scored; what is unconfirmed; may be NULL */
    bool unconfirmed;      /* thresholds not checked against the publisher's text */
    const struct rule_input *inputs; /* ended by a zero row, in the order `run` reads them */
    err (*run)(struct ctx *cx, const struct rule_arg *args, struct rule_result *out);
};
extern const struct rule *const rules[]; /* ended by NULL */

const struct rule *rule_find(str name); /* NULL: no such rule */
/* Reads "name=value" words into args[RULE_INPUTS_MAX], in the order of the rule's inputs. */
err rule_read(struct ctx *cx, const struct rule *rule, const str *words, size_t count,
              struct rule_arg *args) MUST_USE;
/* Reads and runs. `table` is the text for an input of RULE_TABLE, its owner's signature checked by
 * the caller; empty for none. A table is never a word. */
err rule_run(struct ctx *cx, const struct rule *rule, const str *words, size_t count, str table,
             struct rule_result *out) MUST_USE;

void rule_put_number(struct rule_result *out, const char *group, const char *name, int64_t value);
void rule_put_decimal(struct rule_result *out, const char *name, int64_t scaled, int decimals);
void rule_put_bool(struct rule_result *out, const char *name, bool value);
void rule_put_text(struct rule_result *out, const char *name, str text);
void rule_put_null(struct rule_result *out, const char *group, const char *name);
/* The field's value as it is written in JSON, without quotes for text. */
str rule_field_text(struct arena *arena, const struct rule_field *field);
