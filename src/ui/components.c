/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/components.h"
#include "fhir/datetime.h"
#include "ui_components.html.h"
#include <utf8proc.h>

/* Letters of any script; one that has no capital stays. */
static str upper(struct ctx *cx, str text)
{
    utf8proc_uint8_t *out = arena_alloc(cx->arena, 4 * text.n + 4);
    const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)text.p;
    size_t n = 0;
    for (size_t at = 0; at < text.n;) {
        utf8proc_int32_t letter;
        utf8proc_ssize_t took = utf8proc_iterate(p + at, (utf8proc_ssize_t)(text.n - at), &letter);
        if (took <= 0)
            break;
        n += (size_t)utf8proc_encode_char(utf8proc_toupper(letter), out + n);
        at += (size_t)took;
    }
    return (str){ (const char *)out, n };
}

str ui_patient_name(struct ctx *cx, const struct ui_patient *patient)
{
    if (!patient->family.n && !patient->given.n)
        return S("Name not known");
    str family = patient->family.n ? upper(cx, patient->family) : S("Surname not known");
    bool titled = patient->title.n > 0;
    return arena_printf(cx->arena, "%.*s%s%.*s%s%.*s%s", STR_ARG(family),
                        patient->given.n ? ", " : "", STR_ARG(patient->given), titled ? " (" : "",
                        STR_ARG(patient->title), titled ? ")" : "");
}

/* Babies by the unit that matters for them: hours, then days, weeks, months. */
static str age_at(struct ctx *cx, const struct ui_patient *patient, int64_t now_ms)
{
    enum { HOUR_MS = 3600000, DAY_HOURS = 24, HOURS_UNTIL = 48, DAYS_UNTIL = 28, WEEKS_UNTIL = 52,
           MONTHS_UNTIL = 24, MONTH_DAYS_X100 = 3044 };
    struct datetime day, minute;
    int years = ui_age_years(patient->birth_date, now_ms);
    bool whole = patient->birth_date.n == 10 &&
                 datetime_parse(patient->birth_date, DATETIME_AS_DATE, &day);
    if (years < 0)
        return S("");
    if (years >= 2 || !whole)
        return arena_printf(cx->arena, "%dy", years);
    bool timed = patient->born_at.n > 10 &&
                 datetime_parse(patient->born_at, DATETIME_AS_DATE_TIME, &minute);
    int64_t hours = (now_ms - (timed ? minute.low_ms : day.low_ms)) / HOUR_MS;
    int64_t days = hours / DAY_HOURS, months = days * 100 / MONTH_DAYS_X100;
    if (timed && hours >= 0 && hours < HOURS_UNTIL)
        return arena_printf(cx->arena, "%dh", (int)hours);
    if (days < DAYS_UNTIL)
        return days < 1 ? S("born today") : arena_printf(cx->arena, "%dd", (int)days);
    if (years < 1)
        return arena_printf(cx->arena, "%dw", (int)(days / 7));
    return arena_printf(cx->arena, "%dmth", (int)(months < MONTHS_UNTIL ? months
                                                                         : MONTHS_UNTIL - 1));
}

str ui_patient_born(struct ctx *cx, const struct ui_patient *patient)
{
    str date = ui_date(cx, patient->birth_date), died = str_slice(patient->deceased_date, 0, 10);
    struct datetime end;
    int64_t at_ms = cx->now_ms;
    if (patient->deceased && !died.n)
        return date;
    if (patient->deceased && (died.n < 10 || !datetime_parse(died, DATETIME_AS_DATE, &end)))
        return arena_printf(cx->arena, "%.*s (died %.*s)", STR_ARG(date),
                            STR_ARG(ui_date(cx, died)));
    if (patient->deceased)
        at_ms = end.high_ms - 1;
    str age = age_at(cx, patient, at_ms);
    if (patient->deceased)
        return arena_printf(cx->arena, "%.*s (died %.*s%s%.*s)", STR_ARG(date),
                            STR_ARG(ui_date(cx, died)), age.n ? ", " : "", STR_ARG(age));
    return age.n ? arena_printf(cx->arena, "%.*s (%.*s)", STR_ARG(date), STR_ARG(age)) : date;
}

str ui_patient_sex(const struct ui_patient *patient)
{
    static const struct { str code, text; } sexes[] = {
        { { "male", 4 }, { "Male", 4 } },
        { { "female", 6 }, { "Female", 6 } },
        { { "other", 5 }, { "Other", 5 } },
    };
    for (size_t i = 0; i < COUNT(sexes); i++)
        if (str_eq(patient->sex, sexes[i].code))
            return sexes[i].text;
    return S("Not known");
}

const char *ui_tone_class(enum ui_tone tone)
{
    static const char *const classes[] = {
        [UI_PLAIN] = "app-chip",
        [UI_GOOD] = "app-chip app-chip--good",
        [UI_LOW] = "app-chip app-chip--low",
        [UI_MEDIUM] = "app-chip app-chip--medium",
        [UI_HIGH] = "app-chip app-chip--high",
    };
    return classes[tone];
}

bool ui_fields_wrong(const struct ui_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (fields[i].error.n)
            return true;
    return false;
}

void ui_fields_blame(const struct issues *issues, struct ui_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < issues->kept && !fields[i].error.n; k++)
            if (issues->list[k].severity == ISSUE_ERROR &&
                str_eq(issues->list[k].path, str_of(fields[i].name)))
                fields[i].error = issues->list[k].text;
}

bool ui_is_general(const struct issue *issue, const struct ui_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (fields[i].kind != UI_HIDDEN && str_eq(issue->path, str_of(fields[i].name)))
            return false;
    return true;
}

void ui_table_rows(struct buf *out, const struct ui_table *table)
{
    for (size_t i = 0; i < table->rows_count; i++)
        ui_table_row(out, table, table->cells + i * table->columns_count);
}
