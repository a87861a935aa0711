/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "json/write.h"
#include "systems/record/look.h"

/*
 * entry: what a person writes into the record, a table row a kind: an allergy, a problem, a note, a
 * handover, a task. A kind is its fields, and how they stand in a FHIR resource.
 *
 * Source   PRSB Core Information Standard and eDischarge headings as record.md 1.5 names them;
 *          SBAR; FHIR R4 AllergyIntolerance, Condition, Composition, Flag, Task,
 *          MedicationStatement.
 * Shapes   values are one text a field, and for a coded field "system|code" beside it. Reading a
 *          resource gives values; writing gives the resource with those members changed and every
 *          other member as it was.
 * Units    dates as yyyy-mm-dd.
 * Missing  an empty value takes the element away; it never becomes a code for "none".
 * Errors   entry_write: ERR_RULE or ERR_INVALID with the field's name as the path.
 * Memory   the request's arena. Tables are static.
 * Limits   ENTRY_FIELDS fields; ENTRY_TEXT bytes each.
 * Hazards  H-103 stale screen overwrites newer data, H-104 an entry deleted instead of corrected.
 */
enum { ENTRY_FIELDS = 16, ENTRY_MEMBERS = 24, ENTRY_TEXT = 20000 };

struct entry_value {
    str text, code;              /* code: "system|code"; empty: said in words alone */
};
struct entry_option {
    const char *value, *text;
};
struct entry_field {
    const char *name, *label, *hint;
    enum ui_kind kind;
    const char *type;            /* of <input>: "date" */
    const char *codes;           /* a list of codes.h: the field is looked up */
    const struct entry_option *options; /* ended by a zero row */
    bool required;
};
struct entry_author {
    str reference, display;      /* reference empty: nobody signed in */
};
struct entry_member {
    const char *key;
    str json;                    /* not given: the member is taken away */
};
/* One write while it is being made. */
struct entry_change {
    struct ctx *cx;
    struct json before;          /* absent: a new one */
    const struct entry_value *values;
    str patient, encounter;      /* ids; encounter may be absent */
    struct entry_author author;
    struct entry_member members[ENTRY_MEMBERS];
    size_t members_count;
};
struct entry_kind {
    const char *name, *title;    /* "allergy", "Allergy" */
    const char *type;            /* FHIR */
    const char *permission;
    const struct entry_field *fields;
    size_t fields_count;
    bool (*is)(struct json body); /* of the type, this kind */
    void (*read)(struct ctx *cx, struct json body, struct entry_value *values);
    err (*write)(struct entry_change *change);
    bool signs;                  /* drafts, signatures, amendments: a note */
};
extern const struct entry_kind *const entry_kinds[]; /* ended by NULL */
const struct entry_kind *entry_kind_find(str name);
const struct entry_kind *entry_kind_of(struct json body); /* NULL: not ours to edit */

struct entry_author entry_author(struct ctx *cx);
/* "Patient/x" as {"reference": ...}, and the author's with the name. */
str entry_reference(struct ctx *cx, const char *type, str id);
str entry_person(struct ctx *cx, const struct entry_author *author);
str entry_now(struct ctx *cx); /* dateTime */

/* ---- for the kinds ---- */
void entry_put(struct entry_change *change, const char *key, str json);
void entry_put_text(struct entry_change *change, const char *key, str text); /* empty: taken away */
/* {"coding":[...],"text":...} of a value; absent when it is empty. */
str entry_concept(struct ctx *cx, const struct entry_value *value);
/* {"coding":[{"system","code"}]} */
str entry_code(struct ctx *cx, const char *system, str code);
struct entry_value entry_read_concept(struct ctx *cx, struct json concept);
/* The resource with the changed members in their old places. */
err entry_made(struct entry_change *change, const char *type, struct json *out) MUST_USE;
/* A statement about allergies that holds no longer. */
void entry_end_allergy(struct entry_change *change);
/* The members that mark any resource as entered in error; false for a type that cannot be. */
bool entry_mark_wrong(struct entry_change *change, str type);

extern const struct entry_kind entry_allergy, entry_problem, entry_alert, entry_task,
    entry_medicine;                                           /* entry_kinds.c */
extern const struct entry_kind entry_note, entry_handover, entry_discharge; /* note.c */
