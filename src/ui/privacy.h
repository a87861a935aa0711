/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/audit_find.h"
#include "auth/explain.h"
#include "auth/glass.h"
#include "ui/components.h"

/*
 * privacy: emergency access and who asked for it, and who has looked at whose record.
 *
 * Source   staff-identity 4.2 (break-glass, daily review, patient-visible entry); patient-app 1.4
 *          (proxies in the patient's view; what is redacted leaves no trace there either).
 * Shapes   /break-glass/ID is the dialog a refused page leads to; /privacy is the worklist of the
 *          privacy officer; /privacy/access lists accesses with what is unusual about them;
 *          /privacy/explain says why somebody may or may not; /my/access is the patient's own view.
 * Missing  an unusual-access flag that cannot be worked out (no address, no birth date) is absent:
 *          absence of a flag clears nobody. Hours and the flags themselves are unconfirmed [U].
 * Errors   as glass.h; ERR_FORBIDDEN sends a page to /step-up when the proof is too old.
 * Hazards  H-221 record closed in an emergency; H-222 emergency access without need.
 */
enum { PRIVACY_PAGE = 50, PRIVACY_LOOK = 2000 };

struct privacy_dialog {
    struct ui_page page;
    str patient, csrf;
    struct ui_form form;
};
struct privacy_case {
    struct glass_row row;
    str patient, patient_id, when, until, age;
    const char *role, *reason, *basis, *outcome;
    bool overdue;
    size_t opened;              /* accesses during it */
};
struct privacy_work {
    struct ui_page page;
    struct privacy_case *open, *done;
    size_t open_count, done_count, overdue;
};
struct privacy_review {
    struct ui_page page;
    struct privacy_case it;
    const struct privacy_access *during;
    size_t during_count;
    str csrf;
    struct ui_form form;
};
enum { PRIVACY_FLAGS_MAX = 8 };
struct privacy_access {
    str when, who, who_name, what, patient, patient_id, address, client;
    const char *role, *act, *outcome;
    const char *flags[PRIVACY_FLAGS_MAX];
    size_t flags_count;
};
struct privacy_list {
    struct ui_page page;
    const struct ui_field *fields;
    size_t fields_count;
    const struct privacy_access *rows;
    size_t rows_count;
    str next;                   /* query of the next page; absent: none */
    str fault;
};
struct privacy_why {
    struct ui_page page;
    const struct ui_field *fields;
    size_t fields_count;
    bool asked;
    struct explain_answer answer;
    str fault;
};
struct privacy_look {           /* one person on one day, for the patient */
    str when, who;
    const char *role, *act;
    size_t times;
    str reason;                 /* of an emergency access */
};
struct privacy_mine {
    struct ui_page page;
    const struct ui_banner *banner; /* for those who work here: whose record it is; NULL: my own */
    const struct privacy_look *looks;
    size_t looks_count;
};
extern const struct route privacy_routes[];

/* privacy_flag.c: what is unusual about an access. */
struct privacy_flagger;
struct privacy_flagger *privacy_flagger_make(struct ctx *cx, struct store *store,
                                             struct people *people);
void privacy_flag(struct privacy_flagger *flagger, const struct audit_entry *entry, int64_t pid,
                  struct privacy_access *out);
/* "PATEL, Anna" and the id of a patient; empty when they cannot be seen. */
void privacy_patient(struct privacy_flagger *flagger, int64_t pid, str *name, str *id);
str privacy_who(struct privacy_flagger *flagger, str user); /* display name, else the user's name */

/* privacy_list.c */
http_handler privacy_access_get, privacy_mine_get, privacy_why_get, privacy_seen_get;
err privacy_rows(struct ctx *cx, struct privacy_flagger *flagger, const struct audit_page *page,
                 struct privacy_list *list) MUST_USE;
