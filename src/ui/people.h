/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/people.h"
#include "ui/components.h"

/*
 * people: the administrator's page of who may sign in, and as what.
 *
 * Source   staff-identity 4.2: a change of role asks for a fresh proof.
 * Shapes   /people lists the accounts; /people/NAME changes a role. Roles of patients, carers and
 *          services are not given here. What is changed is noted with both roles before it holds,
 *          and holds within a second wherever the person is signed in.
 * Errors   ERR_NOT_FOUND: no such account, or a patient's; ERR_RULE: one's own role, or no such
 *          choice.
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
    struct people_row row;
    struct ui_form form;
};
extern const struct route people_routes[];
