/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ui/page.h"

/*
 * ui_components: the parts screens are made of; templates/components.html draws them.
 *
 * Missing  a patient's absent name, birth date, sex or NHS number is shown as "Not known", never
 *          left out: a gap in a banner reads as "none".
 */
struct ui_patient {
    str id;             /* FHIR id, for links; absent: no link */
    str family, given, title;
    str birth_date;     /* FHIR date */
    str sex;            /* FHIR gender code */
    str nhs_number;     /* ten digits */
    str hospital_number;
    bool deceased;
    str deceased_date;  /* FHIR dateTime; empty: alive, or the date is not known */
    str born_at;        /* FHIR dateTime of the birth, where a newborn has one */
    bool nhs_unverified; /* the source says that the number was not traced */
};

/* One line: "SURNAME, Given (Title)". */
str ui_patient_name(struct ctx *cx, const struct ui_patient *patient);
/* "14-Jul-1945 (81y)"; (5h), (12d), (7w) and (13mth) for the very young; when and at what age
 * somebody died. */
str ui_patient_born(struct ctx *cx, const struct ui_patient *patient);
str ui_patient_sex(const struct ui_patient *patient);

/*
 * A field of a form. `error` given: the field is marked, and listed by ui_error_summary. Options
 * are of UI_SELECT, UI_RADIOS and UI_CHECKS; the first radio and check carries the field's name as
 * its id, so that the summary leads to it.
 */
enum ui_kind { UI_TEXT, UI_AREA, UI_SELECT, UI_RADIOS, UI_CHECKS, UI_HIDDEN };
struct ui_option {
    str value, text, hint;
    bool chosen;        /* of UI_CHECKS; the others compare with the field's value */
};
struct ui_field {
    const char *name, *label, *hint, *type; /* type: of <input>; NULL: text */
    str value, error;
    bool required;
    enum ui_kind kind;
    const struct ui_option *options;
    size_t options_count;
    const char *unit;             /* written behind the box: "°C" */
    const char *min, *max, *step; /* of numbers and dates */
    const char *autocomplete;     /* NULL: the browser's own choice */
};
bool ui_fields_wrong(const struct ui_field *fields, size_t count);
/* Gives each field the issue whose path is its name. */
void ui_fields_blame(const struct issues *issues, struct ui_field *fields, size_t count);
/* Whether an issue is about no field: it stands in the summary all the same. */
bool ui_is_general(const struct issue *issue, const struct ui_field *fields, size_t count);

/* A whole form: fields under each other, one button, a way back. */
struct ui_form {
    str action, cancel;           /* cancel: where "Cancel" leads; absent: none */
    const char *submit;
    bool warns;                   /* the button is red: what it does is hard to take back */
    const struct ui_field *fields;
    size_t fields_count;
    const struct issues *issues;  /* what was wrong with the last try; NULL: nothing */
};

/* What was just done, said once, with a way to take it back while that is safe. */
struct ui_done {
    str text;
    str undo;                     /* where the undo form posts to; absent: no undo */
    struct ui_field inputs[3];    /* hidden, of the undo form */
    size_t inputs_count;
};

/* A table: rows of cells_count texts, one after another. */
struct ui_column {
    const char *text;
    bool number;        /* set to the right */
};
struct ui_table {
    str caption;
    const struct ui_column *columns;
    size_t columns_count;
    const str *cells;   /* columns_count for each row */
    size_t rows_count;
    bool sortable;
};

void ui_table_rows(struct buf *out, const struct ui_table *table);

enum ui_tone { UI_PLAIN, UI_GOOD, UI_LOW, UI_MEDIUM, UI_HIGH };
const char *ui_tone_class(enum ui_tone tone);

struct ui_tab {
    const char *href, *text;
    bool current;
};
