/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "json/json.h"
#include "ui/components.h"

/*
 * banner: who the patient is, and what must be known before anything is done to them, over every
 * screen about one patient.
 *
 * Source   record.md 1.1 (SURNAME, Given (Title); born dd-Mon-yyyy (age); NHS No. 3-3-4; hospital
 *          number; sex; where they lie; allergies; alerts; resuscitation status).
 * Shapes   from Patient, AllergyIntolerance, Flag, Encounter and Location, each read through the
 *          asker's own access.
 * Missing  every part says why it is empty. "No known allergies" is a recorded statement; "Not
 *          asked" is none; a part that could not be read says so, and one the asker's role may not
 *          see says that. None of them is ever an empty place.
 * Errors   ui_banner_read: ERR_NOT_FOUND, ERR_GONE when the Patient cannot be seen. Everything else
 *          is kept within the banner.
 * Memory   the request's arena.
 * Limits   UI_BANNER_ITEMS allergies or alerts are named; more are counted. UI_BANNER_READ of a
 *          kind are read, those that are over among them; where there are more the part says that
 *          it could not be read.
 * Hazards  H-011 wrong patient chosen, H-100 allergy shown empty when its source is down.
 */
enum { UI_BANNER_ITEMS = 20, UI_BANNER_READ = 1000 };
enum ui_fact_state {
    UI_FACT_UNASKED, UI_FACT_NONE, UI_FACT_THERE, UI_FACT_FAILED, UI_FACT_HIDDEN
};
struct ui_fact {
    enum ui_fact_state state;
    str text; /* what to show; never empty once read */
    str when; /* how old that is, in words: "recorded 22-Nov-2025"; empty: it has no date */
};
struct ui_banner {
    struct ui_patient who;
    struct ui_fact allergies, alerts, resuscitation, location;
    str encounter, ward;   /* ids of the stay and the ward now; absent: none, or unseen */
    str replaced_by;       /* id of the record this one was merged into */
    str as_of;             /* when it was read */
    bool similar_name;     /* the caller knows another patient near with a name much like it */
    bool inactive;
};
struct store;
err ui_banner_read(struct ctx *cx, struct store *store, str patient,
                   struct ui_banner *out) MUST_USE;

/* The parts, for those who show them elsewhere. */
struct ui_fact ui_banner_allergies(struct ctx *cx, struct store *store, str patient);
/* Is it a statement that there are no allergies, rather than an allergy? */
bool ui_is_no_known_allergy(struct json allergy);
/* Does it count now: not refuted, not entered in error, not over? */
bool ui_allergy_stands(struct json allergy);
