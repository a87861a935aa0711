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
};

/* One line: "SURNAME, Given (Title)". */
str ui_patient_name(struct ctx *cx, const struct ui_patient *patient);
/* "14-Jul-1945 (81y)". */
str ui_patient_born(struct ctx *cx, const struct ui_patient *patient);
str ui_patient_sex(const struct ui_patient *patient);

/* A field of a form. `error` given: the field is marked, and listed by ui_error_summary. */
struct ui_field {
    const char *name, *label, *hint, *type; /* type: of <input>; NULL: text */
    str value, error;
    bool required;
};
bool ui_fields_wrong(const struct ui_field *fields, size_t count);

struct ui_option {
    const char *value, *text;
};
struct ui_select {
    const char *name, *label;
    const struct ui_option *options;
    size_t options_count;
    str value;
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
