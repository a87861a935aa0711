/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/record/timeline.h"
#include "base/clock.h"
#include "base/local.h"
#include "fhir/datetime.h"
#include "http/text.h"
#include "record_timeline.html.h"
#include "systems/record/home.h"


enum { REASONS = 5 };
/* What stands on the timeline: a row a FHIR type, under the words of the ward. */
static const struct row {
    const char *kind, *text, *type, *date; /* date: the search parameter of its time */
} rows[] = {
    { "stays", "Stays and visits", "Encounter", "date" },
    { "notes", "Notes", "Composition", "date" },
    { "results", "Results", "DiagnosticReport", "date" },
    { "observations", "Observations", "Observation", "date" },
    { "problems", "Problems", "Condition", "onset-date" },
    { "allergies", "Allergies", "AllergyIntolerance", "date" },
    { "medicines", "Medicines", "MedicationRequest", "authoredon" },
    { "procedures", "Procedures", "Procedure", "date" },
    { "vaccinations", "Vaccinations", "Immunization", "date" },
    { "documents", "Documents", "DocumentReference", "date" },
    { "appointments", "Appointments", "Appointment", "date" },
    { "tasks", "Tasks", "Task", "authored-on" },
};

struct gathered {
    struct record_item item;
    size_t row, place; /* place: as its kind gives them */
    str when;
    int64_t at_ms;
};

static bool wants(const struct row *row, str kind)
{
    return kind.n ? str_eq(kind, str_of(row->kind)) : strcmp(row->kind, "observations") != 0;
}

/* The kinds before that of the last entry shown have nothing more at its instant. */
static str query_for(struct ctx *cx, size_t r, size_t last, const struct timeline *t)
{
    struct buf query = buf_make(cx->arena, 4096);
    buf_printf(&query, "patient=Patient/%.*s&_sort=-%s", STR_ARG(t->patient), rows[r].date);
    if (t->before.n) {
        buf_printf(&query, "&%s=%s", rows[r].date, r < last ? "lt" : "le");
        http_encode(&query, t->before);
    } else if (t->year.n) {
        buf_printf(&query, "&%s=le%.*s-12-31", rows[r].date, STR_ARG(t->year));
    }
    return buf_str(&query);
}

struct gathering {
    struct gathered *list;
    size_t count, cap;
};

static void add_item(struct ctx *cx, struct gathering *g, const struct record_item *item,
                     size_t row, size_t place)
{
    struct datetime when;
    str text = record_when(cx, item->body);
    bool dated = datetime_parse(text, DATETIME_AS_DATE_TIME, &when);
    g->list = arena_grow(cx->arena, g->list, g->count, &g->cap, sizeof *g->list);
    g->list[g->count++] = (struct gathered){ *item, row, place, text,
                                             dated ? when.low_ms : INT64_MIN };
}

static err gather(struct record_look *look, const struct timeline *t, struct gathering *g)
{
    struct ctx *cx = look->cx;
    size_t last = 0;
    while (last < COUNT(rows) && !str_eq(t->of, str_of(rows[last].kind)))
        last++;
    for (size_t r = 0; r < COUNT(rows); r++) {
        struct record_set set;
        size_t skip = t->before.n && r == last ? t->shown : 0;
        if (!wants(&rows[r], t->kind))
            continue;
        TRY(record_find(cx, look->store, rows[r].type,
                        query_for(cx, r, last < COUNT(rows) ? last : 0, t),
                        TIMELINE_PAGE + 1 + skip, &set));
        for (size_t i = skip; i < set.count; i++) {
            add_item(cx, g, &set.items[i], r, i);
            g->count -= g->list[g->count - 1].at_ms == INT64_MIN; /* the undated come last */
        }
    }
    return ERR_OK;
}

/* What bears no date, after everything that does. */
static err gather_undated(struct record_look *look, const struct timeline *t, struct gathering *g)
{
    struct ctx *cx = look->cx;
    for (size_t r = 0; r < COUNT(rows); r++) {
        struct record_set set;
        if (!wants(&rows[r], t->kind))
            continue;
        TRY(record_find(cx, look->store, rows[r].type,
                        arena_printf(cx->arena, "patient=Patient/%.*s&%s:missing=true",
                                     STR_ARG(t->patient), rows[r].date), TIMELINE_PAGE, &set));
        for (size_t i = 0; i < set.count; i++)
            if (!record_when(cx, set.items[i].body).n)
                add_item(cx, g, &set.items[i], r, i);
    }
    return ERR_OK;
}

static int newer(const void *a, const void *b)
{
    const struct gathered *x = a, *y = b;
    if (x->at_ms != y->at_ms)
        return x->at_ms > y->at_ms ? -1 : 1;
    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

/* Where the next page begins: how many of the last entry's kind and instant were shown by then. */
static void put_older(struct ctx *cx, struct timeline *t, const struct gathered *list, size_t count)
{
    const struct gathered *last = &list[count - 1];
    char at[CLOCK_TEXT];
    size_t shown = 0;
    clock_write(last->at_ms, at);
    t->older = arena_copy(cx->arena, (str){ at, CLOCK_TEXT });
    t->older_of = str_of(rows[last->row].kind);
    for (size_t i = count; i-- > 0 && list[i].at_ms == last->at_ms && list[i].row == last->row;)
        shown++;
    if (str_eq(t->before, t->older) && str_eq(t->of, t->older_of))
        shown += t->shown;
    t->older_shown = shown < TIMELINE_SHARED ? shown : TIMELINE_SHARED;
}

/* Why somebody marked the entry as an error: the newest Provenance of it that gives a reason. */
static str reason_of(struct record_look *look, const struct record_item *item)
{
    struct ctx *cx = look->cx;
    struct record_set set;
    size_t count = cx->issues.count, kept = cx->issues.kept;
    str reason = S("");
    err found = record_find(cx, look->store, "Provenance",
                            arena_printf(cx->arena, "target=%.*s/%.*s&_sort=-recorded",
                                         STR_ARG(fhir_resource_name(item->resource)),
                                         STR_ARG(item->id)), REASONS, &set);
    for (size_t i = 0; found == ERR_OK && i < set.count && !reason.n; i++)
        reason = record_concept(cx, set.items[i].body, "reason");
    cx->issues.count = count;
    cx->issues.kept = kept;
    return reason.n ? arena_printf(cx->arena, "Reason: %.*s", STR_ARG(reason))
                    : S("No reason is recorded");
}

static void put_lines(struct record_look *look, struct timeline *t, const struct gathered *list,
                      size_t count)
{
    struct ctx *cx = look->cx;
    struct timeline_line *lines = arena_array(cx->arena, count + 1, sizeof *lines);
    str day = S("");
    for (size_t i = 0; i < count; i++) {
        struct home_line line = home_line_of(look, &list[i].item);
        str this = list[i].when.n ? ui_date(cx, list[i].when) : S("No date");
        lines[i] = (struct timeline_line){
            .day = this, .new_day = !str_eq(this, day), .kind = str_of(rows[list[i].row].text),
            .text = line.text, .more = line.more, .href = line.href, .chip = line.chip,
            .tone = (int)line.tone,
            .when = list[i].when.n > 10 ? ui_clock(cx, list[i].at_ms) : S(""),
            .wrong = home_is_wrong(list[i].item.body),
        };
        if (lines[i].wrong)
            lines[i].more = reason_of(look, &list[i].item);
        day = this;
    }
    t->lines = lines;
    t->lines_count = count;
}

/* ---- years ---- */

/* Entries that begin before a year; a stay that has not ended counts where it began. Past
 * TIMELINE_COUNTED it says more than that and counts no further. */
static err count_before(struct record_look *look, const struct timeline *t, int year, int64_t *out)
{
    *out = 0;
    for (size_t r = 0; r < COUNT(rows) && *out <= TIMELINE_COUNTED; r++) {
        int64_t one;
        if (!wants(&rows[r], t->kind))
            continue;
        TRY(record_count(look->cx, look->store, rows[r].type,
                         arena_printf(look->cx->arena, "patient=Patient/%.*s&%s=lt%04d",
                                      STR_ARG(t->patient), rows[r].date, year), &one));
        *out += one;
    }
    return ERR_OK;
}

/* The year of the oldest dated entry; `year` itself when there is none. */
static err oldest_year(struct record_look *look, const struct timeline *t, int year, int *out)
{
    struct ctx *cx = look->cx;
    *out = year;
    for (size_t r = 0; r < COUNT(rows); r++) {
        struct record_set set;
        struct datetime when;
        if (!wants(&rows[r], t->kind))
            continue;
        TRY(record_find(cx, look->store, rows[r].type,
                        arena_printf(cx->arena, "patient=Patient/%.*s&%s=lt%04d&_sort=%s",
                                     STR_ARG(t->patient), rows[r].date, year, rows[r].date),
                        1, &set));
        if (set.count && datetime_parse(record_when(cx, set.items[0].body), DATETIME_AS_DATE_TIME,
                                        &when) && local_civil(when.low_ms).year < *out)
            *out = local_civil(when.low_ms).year;
    }
    return ERR_OK;
}

/* From next year back to the oldest. Of a long life the years are named without counting each. */
static err count_years(struct record_look *look, struct timeline *t)
{
    struct timeline_year *years = arena_array(look->cx->arena, TIMELINE_YEARS, sizeof *years);
    int year = local_civil(look->cx->now_ms).year + 1, oldest;
    int64_t upto, older;
    uint64_t chosen = 0;
    (void)str_to_u64(t->year, &chosen);
    TRY(count_before(look, t, year + 1, &upto));
    TRY(oldest_year(look, t, year, &oldest));
    bool counted = upto <= TIMELINE_COUNTED;
    for (int i = 0; upto && year >= oldest && i < TIMELINE_YEARS; i++, year--, upto = older) {
        older = upto;
        if (counted)
            TRY(count_before(look, t, year, &older));
        if (upto > older || (!counted && i))
            years[t->years_count++] = (struct timeline_year){ year, upto - older,
                                                              (uint64_t)year == chosen };
    }
    t->years = years;
    return ERR_OK;
}

static void put_kinds(struct record_look *look, struct timeline *t)
{
    struct timeline_kind *kinds = arena_array(look->cx->arena, COUNT(rows) + 1, sizeof *kinds);
    kinds[t->kinds_count++] = (struct timeline_kind){ "", "All but observations", !t->kind.n };
    for (size_t r = 0; r < COUNT(rows); r++)
        kinds[t->kinds_count++] = (struct timeline_kind){ rows[r].kind, rows[r].text,
                                                          str_eq(t->kind, str_of(rows[r].kind)) };
    t->kinds = kinds;
}

static void read_query(struct record_look *look, struct timeline *t)
{
    struct arena *arena = look->cx->arena;
    str query = look->request->query;
    uint64_t number = 0;
    struct datetime before;
    *t = (struct timeline){ .patient = look->patient,
                            .kind = http_query_value(arena, query, S("kind")),
                            .year = http_query_value(arena, query, S("year")),
                            .before = http_query_value(arena, query, S("before")),
                            .of = http_query_value(arena, query, S("of")) };
    if (t->year.n && (t->year.n != 4 || !str_to_u64(t->year, &number)))
        t->year = (str){ 0 };
    if (!datetime_parse(t->before, DATETIME_AS_DATE_TIME, &before))
        t->before = (str){ 0 };
    if (str_to_u64(http_query_value(arena, query, S("shown")), &number) &&
        number <= TIMELINE_SHARED)
        t->shown = number;
}

err timeline_draw(struct record_look *look)
{
    struct timeline t;
    struct gathering g = { 0 };
    read_query(look, &t);
    TRY(gather(look, &t, &g));
    if (g.count)
        qsort(g.list, g.count, sizeof *g.list, newer);
    if (g.count > TIMELINE_PAGE) {
        g.count = TIMELINE_PAGE;
        put_older(look->cx, &t, g.list, g.count);
    } else {
        TRY(gather_undated(look, &t, &g));
    }
    put_lines(look, &t, g.list, g.count);
    TRY(count_years(look, &t));
    put_kinds(look, &t);
    timeline_page(&look->out, &t);
    return ERR_OK;
}
