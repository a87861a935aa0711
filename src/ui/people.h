/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/passkey.h"
#include "ui/components.h"

/*
 * people: the administrator's page of who may sign in, and as what.
 *
 * Source   staff-identity 4.2: a change of role asks for a fresh proof.
 * Shapes   /people lists the accounts; /people/NAME changes a role, makes a one-time code (shown on
 *          the answer alone), ends lost keys with the sessions, closes the account or opens it.
 *          Roles of patients, carers and services are not given here. What is changed is noted
 *          with both roles before it holds, and holds within a second wherever the person is
 *          signed in.
 * Errors   ERR_NOT_FOUND: no such account, or a patient's; ERR_RULE: one's own role or account,
 *          or no such choice.
 * Hazards  H-203 a person whose access was revoked is accepted.
 */
enum { PEOPLE_PAGE_MAX = 2000 };
struct people_row {
    str name, display, role;
    bool disabled;
};
struct people_page {
    struct ui_page page;
    struct people_row *rows;
    size_t rows_count;
    bool more;
    str done;                /* what was just done, in words; or empty */
};
struct people_one {
    struct ui_page page;
    struct ctx *cx;
    struct people_row row;
    struct ui_form form;     /* of the role */
    const struct passkey *keys;
    size_t keys_count;
    str csrf, code, done;    /* code: just made; else empty */
    bool own;                /* the administrator's own account */
};
/* people_keys.c */
enum { PEOPLE_CODE_MINUTES = 60 };
http_handler people_code_post, people_key_post, people_state_post;
str people_page_done(struct http_request *request);
/* What its handlers share with people.c: the account of the path, the proof (true: sent to give
 * it), and the page. */
err people_page_user(struct http_request *request, struct people_user *out) MUST_USE;
bool people_page_prove(struct http_request *request, struct http_response *response);
err people_page_show(struct http_request *request, struct http_response *response,
                     const struct people_user *user, str code) MUST_USE;
extern const struct route people_routes[];
