/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ui/components.h"
#include "ui/sign_in.h"

/*
 * consent: asks a person what an app may do in their name, and for which patient and stay.
 *
 * Source   SMART App Launch 2.2: consent in plain words; launch/patient and launch/encounter let
 *          the person choose. record.md 1.1: two identifiers beside each name.
 * Shapes   GET /auth/authorize is the app's question. Our own links on it carry the question as
 *          `ask`, with `find` (what was typed) and `patient` (who was chosen). POST is the answer.
 *          What is wrong goes back to the app as an OAuth error once the redirect is proved its
 *          own, and is shown here before.
 * Missing  "Not known" for an absent name, date of birth or NHS number.
 * Errors   those of the search. A patient or a stay the person may not open is as if it were not
 *          there; who was shown here stands in the audit as on any page.
 * Limits   CONSENT_FOUND people, CONSENT_STAYS stays, the newest first.
 * Hazards  H-102 the wrong one of two people with nearly the same name.
 */
enum { CONSENT_FOUND = 10, CONSENT_STAYS = 20 };

struct consent_one {
    str id, name, born, number;
};
struct consent_page {
    struct ui_page page;
    struct ctx *cx;
    str app, query, csrf, fault;
    const struct sign_in_scope *scopes;
    size_t scopes_count;
    bool asks_patient, asks_encounter, keeps_access, launched, chosen, more;
    str find, here, again;     /* what was typed; this page with it, and without */
    struct consent_one who;    /* when chosen */
    struct consent_one *found;
    size_t found_count;
    struct ui_field stays;
};
/* What stands in the page's own address or in its refused form. */
struct consent_choice {
    str query, find, patient, fault;
};

/* consent_find.c: all as the person of gate_look_as. */
err consent_patient(struct http_request *request, str id, struct consent_page *page) MUST_USE;
err consent_find(struct http_request *request, struct consent_page *page) MUST_USE;
err consent_stays(struct http_request *request, struct consent_page *page) MUST_USE;
