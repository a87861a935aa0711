/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/provider.h"
#include "store/store.h"

/*
 * patient_login: what a patient may do by how surely the provider knows who they are.
 *
 * Source   patient-app 1.1, shaped like NHS login (DAPB3051): vtr asks for levels, vot says which
 *          was reached, and must be one of those asked for. P0: an email address and a phone; P5:
 *          claimed details match the national record; P9: identity verified.
 * Shapes   P9 is matched to one Patient by an NHS number that both the provider and the record hold
 *          as verified, and by the date of birth. P5 has an account that reads no record. P0 has
 *          none.
 * Missing  no NHS number, no match, or more than one: no record is opened, ever.
 * Errors   ERR_FORBIDDEN with what to do; ERR_LOGIN: the levels do not fit what was asked.
 * Hazards  H-204 a claimed identity taken for a verified one.
 */
enum { PATIENT_LOGIN_AGE_MIN = 13 };
struct patient_level {
    const char *name, *vtr;   /* "P9", what is asked for */
    const char *role;         /* in roles[]; NULL: no account */
    bool reads_record;
    const char *source, *effective_from;
};
extern const struct patient_level patient_levels[];
extern const size_t patient_levels_count;
const struct patient_level *patient_level_find(str name); /* NULL: none */

struct patient_match {
    const struct patient_level *level;
    str nhs_number, name;
    str who;                  /* "Patient/1" for P9 when the record has them; or empty */
};
err patient_login_match(struct ctx *cx, struct store *store, const struct provider_person *person,
                        struct patient_match *out) MUST_USE;
/* An identifier that is this NHS number and says "present and verified" (UK Core: 01). */
struct json;
bool patient_login_verified(struct json patient, str nhs_number);
