/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "systems/record/entry.h"
#include "systems/record/send.h"

/*
 * save: the forms of entries, and what happens when one is sent.
 *
 * Source   UI.md 16 (changed by whom, compare), 25 (drafts); FHIR If-Match.
 * Shapes   /record/patient/{patient}/new/{kind}, .../entry/{kind}/{id}. A form carries the version
 *          it was drawn from. When somebody has changed the entry since, nothing is written: the
 *          page shows field by field what it was, theirs and what was typed, and asks.
 *          `once` makes a create that is sent twice one entry. `auto` saves a draft and answers
 *          with JSON. `look` names a coded field to be looked up: the form comes again with hits.
 * Missing  an empty field takes its element away.
 * Errors   ERR_RULE, ERR_INVALID: the form again (422) with what was typed; a conflict 409;
 *          ERR_CONFLICT where the record was merged into another.
 * Limits   ENTRY_TEXT a field.
 * Hazards  H-101 written for the wrong patient, H-103 stale screen overwrites newer data.
 */
struct save_field {
    const struct entry_field *field;
    struct ui_field shown;
    struct entry_value value;
    const char *name;
    bool date;
    struct ui_option *codes;     /* of a coded field: what may be chosen */
    size_t codes_count;
    bool starter;
    /* of a conflict */
    bool changed;                /* by them */
    struct entry_value base, theirs;
    str choice;
};
struct save_version {
    str when, who, what;
    uint64_t vid;
};
struct save_form {
    struct record_look *look;
    const struct entry_kind *kind;
    struct save_field *fields;
    size_t fields_count;
    struct record_item item;     /* id empty: a new one */
    str once, why, them;         /* them: who changed it meanwhile, and when */
    str base;                    /* the version the form was drawn from */
    bool conflict, wrong, may_write, draft, edits, prefilled;
    bool anothers;               /* a draft of somebody else: shown without its words */
    str begun_by;
    struct send_view sending;    /* of a signed discharge summary */
    str signed_by, cosigned_by, reason;
    const struct save_version *versions;
    size_t versions_count;
};
http_handler save_new_get, save_new_post, save_entry_get, save_entry_post;
http_handler save_sign_post; /* .../entry/{kind}/{id}/sign and /cosign */
/* A value as its form words it: "Problem list", not "problem-list-item". */
str save_shown(const struct save_field *field, str value);
/* Who wrote the version with this seq, as the log notes it. */
str save_who(struct ctx *cx, int64_t seq);
