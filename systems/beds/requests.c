/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/requests.h"
#include "systems/beds/picture_read.h"
#include "systems/beds/sql.h"
#include "ui/page.h"
#include <stdlib.h>

const struct beds_named beds_sources[BEDS_SOURCES] = {
    [BEDS_FROM_ED] = { "ed", "Emergency department" },
    [BEDS_FROM_ELECTIVE] = { "elective", "Elective, to come in" },
    [BEDS_FROM_TRANSFER] = { "transfer", "Transfer" },
    [BEDS_FROM_REPATRIATION] = { "repatriation", "Repatriation" },
    [BEDS_FROM_STEP_DOWN] = { "step-down", "Step-down from critical care" },
};
const struct beds_named beds_priorities[4] = {
    { "stat", "Immediate" }, { "asap", "Very urgent" }, { "urgent", "Urgent" },
    { "routine", "Routine" },
};

static int find_named(const struct beds_named *list, size_t count, str code, int fallback)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(code, str_of(list[i].code)))
            return (int)i;
    return fallback;
}

static bool has_need(str needs, const char *code)
{
    char quoted[40];
    int n = snprintf(quoted, sizeof quoted, "\"%s\"", code);
    return str_find(needs, (str){ quoted, (size_t)n }) != STR_NONE;
}

static void read_row(struct ctx *cx, struct db_stmt *row, struct beds_asked *out)
{
    str needs = db_text(row, 5);
    *out = (struct beds_asked){
        .id = arena_copy(cx->arena, db_text(row, 0)),
        .patient = arena_copy(cx->arena, db_text(row, 1)),
        .source = (enum beds_source)find_named(beds_sources, BEDS_SOURCES, db_text(row, 2), 0),
        .priority = find_named(beds_priorities, COUNT(beds_priorities), db_text(row, 3), 3),
        .specialty = arena_copy(cx->arena, db_text(row, 4)),
        .asked_ms = beds_instant_of(db_text(row, 6)),
        .decided_ms = beds_instant_of(db_text(row, 7)),
        .due_ms = beds_instant_of(db_text(row, 8)),
        .note = arena_copy(cx->arena, db_text(row, 10)),
    };
    out->wanted = (struct beds_request){
        .specialty = out->specialty,
        .isolation = has_need(needs, "isolation")      ? BEDS_ISOLATION_NEEDED
                     : has_need(needs, "no-isolation") ? BEDS_ISOLATION_NONE
                                                       : BEDS_ISOLATION_UNKNOWN,
        .airborne = has_need(needs, "airborne"), .needs_monitor = has_need(needs, "monitor"),
        .needs_oxygen = has_need(needs, "oxygen"), .bariatric = has_need(needs, "bariatric"),
    };
}

/* Who it is for, and the bed kept for it. */
static err fill(struct ctx *cx, struct beds_asked *asked)
{
    struct db_stmt *row = db_use(cx, cx->db, beds_sql, BEDS_SQL_KEPT_FOR);
    struct beds_stay *who = &asked->who;
    bool found;
    TRY(beds_read_person(cx, asked->patient, who));
    snprintf(who->patient, sizeof who->patient, "%.*s", STR_ARG(asked->patient));
    asked->wanted.sex = who->sex == 'f' ? BEDS_FEMALE : who->sex == 'm' ? BEDS_MALE
                                                                       : BEDS_SEX_ANY;
    asked->wanted.age_years = ui_age_years(arena_copy(cx->arena, str_of(who->born)), cx->now_ms);
    if (who->isolation)
        asked->wanted.isolation = BEDS_ISOLATION_NEEDED;
    db_bind_text(row, 1, asked->id);
    TRY(db_step(cx, row, &found));
    if (!found)
        return ERR_OK;
    asked->kept_bed = arena_copy(cx->arena, db_text(row, 0));
    asked->kept_stay = asked->wanted.reserved_stay = arena_copy(cx->arena, db_text(row, 1));
    db_reset(row);
    return ERR_OK;
}

err beds_asked_read(struct ctx *cx, str id, struct beds_asked *out)
{
    struct db_stmt *row = db_use(cx, cx->db, beds_sql, BEDS_SQL_REQUEST);
    bool found;
    db_bind_text(row, 1, id);
    TRY(db_step(cx, row, &found));
    if (!found)
        return ctx_failf(cx, ERR_NOT_FOUND, S("request"), "there is no open bed request %.*s",
                         STR_ARG(id));
    read_row(cx, row, out);
    db_reset(row);
    return fill(cx, out);
}

int64_t beds_clock_ms(const struct beds_asked *asked)
{
    if (asked->source == BEDS_FROM_ED && asked->decided_ms)
        return asked->decided_ms;
    return asked->source == BEDS_FROM_ELECTIVE && asked->due_ms ? asked->due_ms : asked->asked_ms;
}

int64_t beds_waited_min(const struct beds_asked *asked, int64_t now_ms)
{
    int64_t clock_ms = beds_clock_ms(asked);
    return clock_ms && now_ms > clock_ms ? (now_ms - clock_ms) / 60000 : 0;
}

static int more_urgent(const void *a, const void *b)
{
    const struct beds_asked *x = a, *y = b;
    int64_t x_ms = beds_clock_ms(x), y_ms = beds_clock_ms(y);
    if (x->priority != y->priority)
        return x->priority - y->priority;
    if (x_ms != y_ms)
        return x_ms < y_ms ? -1 : 1;
    return str_cmp(x->id, y->id);
}

err beds_asked_list(struct ctx *cx, struct beds_asked **out, size_t *count)
{
    struct db_stmt *row = db_use(cx, cx->db, beds_sql, BEDS_SQL_REQUESTS);
    struct beds_asked *list = NULL;
    size_t cap = 0;
    *count = 0;
    for (bool more = true;;) {
        TRY(db_step(cx, row, &more));
        if (!more)
            break;
        list = arena_grow(cx->arena, list, *count, &cap, sizeof *list);
        read_row(cx, row, &list[(*count)++]);
    }
    for (size_t i = 0; i < *count; i++)
        TRY(fill(cx, &list[i]));
    if (*count)
        qsort(list, *count, sizeof *list, more_urgent);
    *out = list;
    return ERR_OK;
}
