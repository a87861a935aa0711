/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/oauth.h"
#include "auth/session.h"
#include "ui/components.h"

/*
 * sign_in: the pages that let a person in and out. What an app may do is asked in consent.h.
 *
 * Source   UI.md; staff-identity 4.2.
 * Shapes   /sign-in offers a passkey first (account.h has its ceremonies), then a name and a
 *          one-time code, which leads a person without a passkey to enrol one; on a demonstration
 *          (loopback only) it lists one account a role and takes its code for any of them.
 * Errors   a wrong code is shown in the form, in one text whatever was wrong with it.
 * Limits   `next` is followed only within this server.
 */
enum { SIGN_IN_SCOPES_MAX = SCOPE_RULES_MAX + 1 };

struct sign_in_account {
    str name, display, role;
};
struct sign_in_form {
    struct ui_page page;
    struct ui_field name, code;
    str next, fault, demo_code;
    const struct sign_in_account *accounts;
    size_t accounts_count;
    str workstation, sitter; /* of a shared one: its name, and who has it locked; or empty */
    str staff_provider, patient_provider; /* what they are called; empty: not configured */
    bool passkeys;     /* this page may use them */
    str localhost;     /* where it might, when it may not: the address to follow; or empty */
};
/* One scope in words: "See" "observations and results". */
struct sign_in_scope {
    str what;
};
/* One sentence a rule of the set: "Look at and search: Observation", "category=laboratory" kept. */
size_t sign_in_words(struct arena *arena, const struct scope_set *set, struct sign_in_scope *out);

/* What the pages of the other ways in share: a field of a form, a path to go on to that is ours,
 * the redirect, and the session's cookie (`more`: further attributes). */
str sign_in_field(struct http_request *request, const char *name);
str sign_in_next(str next);
/* A page of elsewhere neither signs anybody in nor out: ERR_FORBIDDEN. What is no browser does not
 * say where its form was. */
err sign_in_own_form(const struct http_request *request) MUST_USE;
err sign_in_go(struct http_response *response, str location) MUST_USE;
err sign_in_cookie(struct http_request *request, struct http_response *response, str cookie,
                   const char *more) MUST_USE;
/* The sign-in page with why the last try did not work. */
err sign_in_show(struct http_request *request, struct http_response *response, str next,
                 str fault) MUST_USE;
/* Refuses a form that does not carry the session's own csrf text. */
err sign_in_form_of(struct http_request *request, const struct session *session) MUST_USE;

/* Is this stay the patient's, and may they see it? launch.c */
err launch_check_encounter(struct http_request *request, const struct session *session,
                           str patient, str encounter) MUST_USE;

extern const struct route sign_in_routes[], consent_routes[], launch_routes[];
