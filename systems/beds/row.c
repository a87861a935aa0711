/* SPDX-License-Identifier: Apache-2.0 */
#include "clinical/london.h"
#include "systems/beds/board.h"

/* What a board says of a bed and of a ward. */
enum { FULL_PERCENT = 92, BUSY_PERCENT = 85 };

static str copy(struct ctx *cx, const char *text)
{
    return arena_copy(cx->arena, str_of(text));
}

str beds_day_text(struct ctx *cx, int64_t day)
{
    struct clock_civil d = clock_to_civil(day * LONDON_DAY_MS);
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
                                          "Sep", "Oct", "Nov", "Dec" };
    static const char *const weekdays[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
    bool this_year = d.year == london_civil(cx->now_ms).year;
    if (!this_year)
        return arena_printf(cx->arena, "%d %s %d", d.day, months[d.month - 1], d.year);
    return arena_printf(cx->arena, "%s %d %s", weekdays[london_weekday(day)], d.day,
                        months[d.month - 1]);
}

static const char *plural(int64_t count)
{
    return count == 1 ? "" : "s";
}

/* ---- one bed ---- */

/* clang-format off: a row a state. */
static const struct { const char *icon; enum ui_tone tone; } looks[BEDS_STATES] = {
    [BEDS_AVAILABLE] = { "free",     UI_GOOD },
    [BEDS_RESERVED]  = { "reserved", UI_LOW },
    [BEDS_OCCUPIED]  = { "person",   UI_PLAIN },
    [BEDS_DIRTY]     = { "dirty",    UI_MEDIUM },
    [BEDS_CLEANING]  = { "cleaning", UI_LOW },
    [BEDS_CLOSED]    = { "closed",   UI_HIGH },
};
/* What a flag's text holds, and how it is shown. The first that fits; the rest are plain. */
static const struct { const char *holds, *icon; enum ui_tone tone; } flag_looks[] = {
    { "solation",   "isolate",  UI_MEDIUM },
    { "nfection",   "isolate",  UI_MEDIUM },
    { "falls",      "falls",    UI_LOW },
    { "DNACPR",     "dnacpr",   UI_PLAIN },
    { "earning",    "person",   UI_LOW },
    { "ementia",    "dementia", UI_LOW },
    { "xygen",      "oxygen",   UI_PLAIN },
    { "llerg",      "alert",    UI_MEDIUM },
};
/* clang-format on */

static str kind_of(struct ctx *cx, unsigned a)
{
    const char *sex = a & BEDS_A_FEMALE ? "women" : a & BEDS_A_MALE ? "men" : "";
    return arena_printf(cx->arena, "%s%s%s%s%s%s", a & BEDS_A_SIDE_ROOM ? "side room" : "bay",
                        *sex ? ", " : "", sex, a & BEDS_A_PAEDIATRIC ? ", children" : "",
                        a & BEDS_A_ESCALATION ? ", escalation" : "",
                        a & BEDS_A_MONITORED ? ", monitored" : "");
}

/* The last sets over the range that calls nobody; in words, since a picture cannot be read out. */
static struct ui_html trend_of(struct ctx *cx, const struct beds_stay *stay)
{
    double values[BEDS_TREND];
    struct buf out = buf_make(cx->arena, 8192), said = buf_make(cx->arena, 200);
    if (stay->trend_count < 2)
        return (struct ui_html){ S("") };
    buf_printf(&said, "NEWS2, last %zu sets:", stay->trend_count);
    for (size_t i = 0; i < stay->trend_count; i++) {
        values[i] = stay->trend[i].total;
        buf_printf(&said, "%s %d", i ? "," : "", stay->trend[i].total);
    }
    ui_spark_draw(&out, &(struct ui_spark){ .values = values, .count = stay->trend_count,
                                            .low = 0, .high = 4, .label = buf_str(&said) });
    return (struct ui_html){ buf_str(&out) };
}

static void add_score(struct ctx *cx, const struct beds_stay *stay, struct beds_row *row)
{
    row->news2_total = stay->news2;
    if (stay->news2 < 0) {
        row->news2 = S("Not known");
        return;
    }
    row->news2 = arena_printf(cx->arena, "%d at %.*s", stay->news2,
                              STR_ARG(ui_clock(cx, stay->news2_ms)));
    row->news2_tone = stay->news2 >= 7 ? UI_HIGH : stay->news2 >= 5 ? UI_MEDIUM
                      : stay->news2 > 0 ? UI_LOW : UI_GOOD;
    row->news2_spark = trend_of(cx, stay);
}

static void add_date(struct ctx *cx, const struct beds_stay *stay, int64_t today,
                     struct beds_row *row)
{
    row->edd_in = stay->edd_day == BEDS_NO_DAY ? BEDS_NO_DAY : stay->edd_day - today;
    if (stay->edd_day == BEDS_NO_DAY) {
        row->edd = S("No date");
        row->edd_tone = UI_LOW;
        return;
    }
    str day = beds_day_text(cx, stay->edd_day);
    int64_t late = -row->edd_in;
    row->edd = late > 0 ? arena_printf(cx->arena, "%.*s, passed %lld day%s ago", STR_ARG(day),
                                       (long long)late, plural(late))
               : late == 0 ? arena_printf(cx->arena, "%.*s, today", STR_ARG(day))
               : late == -1 ? arena_printf(cx->arena, "%.*s, tomorrow", STR_ARG(day)) : day;
    row->edd_tone = late > 0 ? UI_MEDIUM : late == 0 ? UI_GOOD : UI_PLAIN;
}

static void add_discharge(struct ctx *cx, const struct beds_stay *stay, struct beds_row *row)
{
    static const char *const answers[] = { "Not assessed", "Meets", "No longer meets" };
    int64_t today = london_day(cx->now_ms);
    add_date(cx, stay, today, row);
    row->reside = str_of(answers[stay->reside]);
    row->reside_tone = stay->reside == BEDS_RESIDE_NOT ? UI_GOOD : UI_PLAIN;
    if (stay->ready_day != BEDS_NO_DAY)
        row->ready = arena_printf(cx->arena, "ready since %.*s (%lld day%s)",
                                  STR_ARG(beds_day_text(cx, stay->ready_day)),
                                  (long long)(today - stay->ready_day),
                                  plural(today - stay->ready_day));
    row->pathway = stay->pathway < 0 ? S("not decided") : str_of(beds_pathways[stay->pathway].code);
}

static void add_flags(struct ctx *cx, const struct beds_stay *stay, struct beds_row *row)
{
    str rest = copy(cx, stay->flags), one;
    row->flags = rest;
    while (row->flag_list_count < BEDS_FLAGS_MAX && str_next(&rest, ';', &one)) {
        struct beds_flag flag = { .icon = "flag", .text = str_trim(one) };
        for (size_t i = 0; i < COUNT(flag_looks); i++)
            if (str_find(one, str_of(flag_looks[i].holds)) != STR_NONE) {
                flag.icon = flag_looks[i].icon;
                flag.tone = flag_looks[i].tone;
                break;
            }
        if (flag.text.n)
            row->flag_list[row->flag_list_count++] = flag;
        row->isolation |= strcmp(flag.icon, "isolate") == 0;
    }
}

static str surname_of(const char *name)
{
    str all = str_of(name);
    size_t comma = str_find_char(all, ',');
    return comma == STR_NONE ? all : str_slice(all, 0, comma);
}

/* "HUSSAIN, Rukhsana" as "R. H.": enough for those who know, nothing for those who do not. */
static str initials_of(struct ctx *cx, str name)
{
    size_t comma = str_find(name, S(", "));
    if (comma == STR_NONE || comma + 2 >= name.n || name.n == 0)
        return S("-");
    return arena_printf(cx->arena, "%c. %c.", name.p[comma + 2], name.p[0]);
}

/* How many on this ward have this surname, this one included. */
static size_t count_surname(const struct beds_picture *picture, int32_t ward, str surname)
{
    size_t count = 0;
    for (size_t i = 0; i < picture->spots_count; i++) {
        const struct beds_spot *spot = &picture->spots[i];
        if (spot->ward == ward && spot->stay != BEDS_NONE && strcmp(spot->kind, "bd") == 0)
            count += str_eq(surname_of(picture->stays[spot->stay].name), surname);
    }
    return count;
}

static void add_person(struct ctx *cx, const struct beds_stay *stay, struct beds_row *row)
{
    struct ui_patient who = { .birth_date = copy(cx, stay->born),
                              .sex = stay->sex == 'f' ? S("female") : stay->sex == 'm' ? S("male")
                                     : stay->sex ? S("other") : (str){ 0 } };
    row->encounter = copy(cx, stay->id);
    row->patient_id = copy(cx, stay->patient);
    row->patient = stay->name[0] ? copy(cx, stay->name) : S("Not known");
    row->surname = surname_of(row->patient.p);
    row->initials = initials_of(cx, row->patient);
    row->born = ui_patient_born(cx, &who);
    row->sex = ui_patient_sex(&who);
    row->nhs = stay->nhs[0] ? ui_nhs_number(cx, copy(cx, stay->nhs)) : S("Not known");
    add_flags(cx, stay, row);
}

static void add_patient(struct ctx *cx, const struct beds_stay *stay, struct beds_row *row)
{
    add_person(cx, stay, row);
    if (stay->reserved) {
        row->until_ms = stay->until_ms;
        row->until = stay->until_ms ? ui_clock(cx, stay->until_ms) : (str){ 0 };
        row->note = stay->until_ms ? arena_printf(cx->arena, "until %.*s",
                                                  STR_ARG(ui_time(cx, stay->until_ms)))
                                   : S("no end given");
        return;
    }
    row->away = stay->on_leave;
    if (stay->on_leave)
        row->note = S("on home leave");
    if (stay->admitted_ms) {
        row->days_in = beds_stay_days(london_day(stay->admitted_ms), london_day(cx->now_ms));
        row->days = arena_printf(cx->arena, "%lld", (long long)row->days_in);
    }
    add_score(cx, stay, row);
    add_discharge(cx, stay, row);
}

struct beds_row beds_row_of(struct ctx *cx, const struct beds_picture *picture, int32_t spot)
{
    const struct beds_spot *bed = &picture->spots[spot];
    enum beds_state state = beds_state_at(picture, spot, cx->now_ms);
    bool held = bed->stay != BEDS_NONE && (state == BEDS_OCCUPIED || state == BEDS_RESERVED);
    struct beds_row row = {
        .id = copy(cx, bed->id), .name = copy(cx, bed->name[0] ? bed->name : bed->id),
        .bay = bed->parent == BEDS_NONE ? S("") : copy(cx, picture->spots[bed->parent].name),
        .state = str_of(beds_state_name(state)), .code = state, .icon = looks[state].icon,
        .tone = looks[state].tone, .kind = kind_of(cx, bed->attributes), .news2_total = -1,
        .edd_in = BEDS_NO_DAY, .side_room = bed->attributes & BEDS_A_SIDE_ROOM, .same_name = 1,
    };
    if (state >= BEDS_DIRTY && bed->why[0] && strcmp(bed->why, "-") != 0)
        row.note = copy(cx, bed->why);
    if (state == BEDS_DIRTY || state == BEDS_CLEANING) {
        row.until_ms = bed->due_ms;
        row.until = bed->due_ms ? ui_clock(cx, bed->due_ms) : (str){ 0 };
    }
    if (held) {
        add_patient(cx, &picture->stays[bed->stay], &row);
        row.same_name = row.patient_id.n ? count_surname(picture, bed->ward, row.surname) : 1;
    }
    return row;
}

/* ---- wards ---- */

static void count_bed(const struct beds_picture *picture, int32_t spot, int64_t now_ms,
                      struct beds_ward *ward)
{
    const struct beds_spot *bed = &picture->spots[spot];
    enum beds_state state = beds_state_at(picture, spot, now_ms);
    size_t *counts[BEDS_STATES] = { &ward->available, &ward->reserved, &ward->occupied,
                                    &ward->dirty, &ward->cleaning, &ward->closed };
    ward->beds++;
    ++*counts[state];
    if (state == BEDS_AVAILABLE)
        ++*(bed->attributes & BEDS_A_FEMALE ? &ward->free_women
            : bed->attributes & BEDS_A_MALE ? &ward->free_men : &ward->free_any);
    if (state != BEDS_OCCUPIED)
        return;
    const struct beds_stay *stay = &picture->stays[bed->stay];
    ward->not_reside += stay->reside == BEDS_RESIDE_NOT;
    ward->leaving_today += stay->edd_day != BEDS_NO_DAY && stay->edd_day <= london_day(now_ms);
}

static bool is_bed_of(const struct beds_picture *picture, size_t spot, int32_t ward)
{
    return strcmp(picture->spots[spot].kind, "bd") == 0 &&
           (ward == BEDS_NONE || picture->spots[spot].ward == ward);
}

/* Occupancy is of the beds that are open: a closed bed cannot be free. */
struct beds_ward beds_ward_of(struct ctx *cx, const struct beds_picture *picture, int32_t spot)
{
    struct beds_ward ward = { .name = S("All wards") };
    if (spot != BEDS_NONE) {
        const struct beds_spot *place = &picture->spots[spot];
        ward.id = copy(cx, place->id);
        ward.name = copy(cx, place->name);
        ward.site = place->site == BEDS_NONE ? S("") : copy(cx, picture->spots[place->site].name);
    }
    for (size_t i = 0; i < picture->spots_count; i++)
        if (is_bed_of(picture, i, spot))
            count_bed(picture, (int32_t)i, cx->now_ms, &ward);
    size_t open = ward.beds - ward.closed;
    ward.percent = open ? (ward.occupied * 200 + open) / (open * 2) : 0;
    ward.tone = ward.percent >= FULL_PERCENT ? UI_HIGH : ward.percent >= BUSY_PERCENT ? UI_MEDIUM
                                                                                     : UI_GOOD;
    return ward;
}

static uint64_t number_in(const char *name)
{
    uint64_t number = 0;
    for (; *name; name++)
        number = *name >= '0' && *name <= '9' ? number * 10 + (uint64_t)(*name - '0') : number;
    return number;
}

int32_t *beds_in_ward(struct ctx *cx, const struct beds_picture *picture, int32_t ward,
                      size_t *count)
{
    int32_t *beds = arena_array(cx->arena, picture->spots_count + 1, sizeof *beds);
    *count = 0;
    for (size_t i = 0; i < picture->spots_count; i++) {
        if (!is_bed_of(picture, i, ward))
            continue;
        size_t at = (*count)++;
        uint64_t number = number_in(picture->spots[i].name);
        for (; at > 0 && number_in(picture->spots[beds[at - 1]].name) > number; at--)
            beds[at] = beds[at - 1];
        beds[at] = (int32_t)i;
    }
    return beds;
}
