/* SPDX-License-Identifier: Apache-2.0 */
#include "http/text.h"
#include "systems/record/home.h"
#include "systems/record/result.h"
#include "ui/browse.h"
#include "ui/chart.h"
#include <math.h>

/* Values over time: the table of all tests, and one test with its graph. */

enum { CHART_BYTES = 256 << 10, RANGES = 3, NUMBER_MAX = 40, LABELS_WHOLE = 6 };

/* ---- one value ---- */

static str one_range(struct ctx *cx, struct json range)
{
    str low = json_text(json_get(json_get(range, S("low")), S("value")));
    str high = json_text(json_get(json_get(range, S("high")), S("value")));
    if (low.n && high.n)
        return arena_printf(cx->arena, "%.*s to %.*s", STR_ARG(low), STR_ARG(high));
    if (low.n)
        return arena_printf(cx->arena, "%.*s or more", STR_ARG(low));
    return high.n ? arena_printf(cx->arena, "up to %.*s", STR_ARG(high))
                  : record_text(cx, range, "text");
}

/* Several ranges are for several people: each with whom it is for, as sent. */
str result_range(struct ctx *cx, struct json body)
{
    struct json ranges = json_get(body, S("referenceRange"));
    size_t count = json_count(ranges);
    str all = S("");
    for (size_t i = 0; i < count && i < RANGES; i++) {
        struct json range = json_at(ranges, i);
        str one = one_range(cx, range), whom = record_concept(cx, range, "appliesTo");
        if (!whom.n && count > 1)
            whom = record_concept(cx, range, "type");
        all = arena_printf(cx->arena, "%.*s%s%.*s%s%.*s%s", STR_ARG(all), all.n ? "; " : "",
                           STR_ARG(one), whom.n ? " (" : "", STR_ARG(whom), whom.n ? ")" : "");
    }
    return all;
}

str result_flag(struct json body, enum result_level *level)
{
    static const struct { const char *code, *text; enum result_level level; } rows[] = {
        { "HH", "Critically high", RESULT_CRITICAL }, { "LL", "Critically low", RESULT_CRITICAL },
        { "AA", "Critical", RESULT_CRITICAL }, { "HU", "Very high", RESULT_CRITICAL },
        { "LU", "Very low", RESULT_CRITICAL }, { "H", "High", RESULT_ABNORMAL },
        { "L", "Low", RESULT_ABNORMAL }, { "A", "Abnormal", RESULT_ABNORMAL },
        { "POS", "Positive", RESULT_ABNORMAL }, { "R", "Resistant", RESULT_ABNORMAL },
        { "DET", "Detected", RESULT_ABNORMAL }, { "IND", "Indeterminate", RESULT_ABNORMAL },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        for (struct json_walk w = json_walk(json_get(body, S("interpretation"))); json_next(&w);)
            if (record_has_code(w.value, rows[i].code)) {
                *level = rows[i].level;
                return str_of(rows[i].text);
            }
    return S("");
}

str result_value(struct ctx *cx, struct json body)
{
    struct json quantity = json_get(body, S("valueQuantity"));
    str comparator = record_text(cx, quantity, "comparator");
    str number = json_text(json_get(quantity, S("value")));
    if (number.n)
        return arena_printf(cx->arena, "%.*s%.*s", STR_ARG(comparator), STR_ARG(number));
    str text = record_text(cx, body, "valueString");
    if (!text.n)
        text = record_concept(cx, body, "valueCodeableConcept");
    if (!text.n)
        text = json_text(json_get(body, S("valueInteger")));
    if (!text.n)
        text = record_concept(cx, body, "dataAbsentReason");
    if (!text.n && json_string_is(json_get(body, S("status")), S("cancelled")))
        text = S("Cancelled");
    if (!text.n && json_string_is(json_get(body, S("status")), S("registered")))
        text = S("Awaited");
    return text.n ? text : S("No value");
}

str result_unit(struct ctx *cx, struct json body)
{
    struct json quantity = json_get(body, S("valueQuantity"));
    str unit = record_text(cx, quantity, "unit");
    return unit.n ? unit : record_text(cx, quantity, "code");
}

static str state_of(struct json body)
{
    static const struct { const char *status, *text; } rows[] = {
        { "preliminary", "Preliminary" }, { "corrected", "Corrected" }, { "amended", "Corrected" },
        { "cancelled", "Cancelled" }, { "registered", "Awaited" }, { "unknown", "Status unknown" },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (json_string_is(json_get(body, S("status")), str_of(rows[i].status)))
            return str_of(rows[i].text);
    return S("");
}

/* The same test is the same code; where there is none, the same words. */
static str key_of(struct ctx *cx, struct json body)
{
    struct json concept = json_get(body, S("code"));
    str code = record_text(cx, json_at(json_get(concept, S("coding")), 0), "code");
    return code.n ? code : ui_concept_text(cx, concept);
}

/* A number that a line may go through: not "<5", not words. */
static double number_of(struct json quantity)
{
    str number = json_text(json_get(quantity, S("value")));
    char text[NUMBER_MAX];
    if (!number.n || number.n >= NUMBER_MAX || json_is(json_get(quantity, S("comparator")),
                                                       JSON_STRING))
        return NAN;
    memcpy(text, number.p, number.n);
    text[number.n] = 0;
    return strtod(text, NULL);
}

/* One Observation, or one component of it, under the item it came in. */
struct found {
    struct record_look *look;
    const struct record_item *item;
    struct json body;
    str state;
};
typedef void take_value(const struct found *found, struct result_list *list);

/* A panel without a value of its own is its members, which are there themselves. */
static void each_value(struct record_look *look, const struct record_item *item, take_value *take,
                       struct result_list *list)
{
    struct json parts = json_get(item->body, S("component"));
    struct found found = { look, item, item->body, state_of(item->body) };
    bool panel = json_count(json_get(item->body, S("hasMember"))) || json_count(parts);
    if (!panel || !str_eq(result_value(look->cx, item->body), S("No value")))
        take(&found, list);
    for (struct json_walk w = json_walk(parts); json_next(&w);) {
        found.body = w.value;
        take(&found, list);
    }
}

/* ---- all tests ---- */

static size_t find_sample(struct ctx *cx, struct result_list *list, str when)
{
    str minute = record_shown_when(cx, when);
    for (size_t i = 0; i < list->samples_count; i++)
        if (str_eq(list->minutes[i], minute))
            return i;
    if (list->samples_count == RESULT_SAMPLES)
        return RESULT_SAMPLES;
    list->minutes[list->samples_count] = minute;
    list->samples[list->samples_count] = when;
    return list->samples_count++;
}

static struct result_test *find_test(struct result_list *list, str key, str name)
{
    for (size_t i = 0; i < list->tests_count; i++)
        if (str_eq(list->tests[i].key, key))
            return &list->tests[i];
    if (list->tests_count == RESULT_TESTS)
        return NULL;
    list->tests[list->tests_count] = (struct result_test){ .key = key, .name = name };
    return &list->tests[list->tests_count++];
}

static void take_cell(const struct found *found, struct result_list *list)
{
    struct ctx *cx = found->look->cx;
    struct json body = found->body;
    enum result_level level;
    size_t sample = find_sample(cx, list, record_when(cx, found->item->body));
    struct result_test *test = sample == RESULT_SAMPLES
                                   ? NULL : find_test(list, key_of(cx, body),
                                                      record_concept(cx, body, "code"));
    if (!test) {
        list->more = true;
        return;
    }
    str unit = result_unit(cx, body), range = result_range(cx, body);
    struct result_cell *cell = &test->cells[sample];
    test->unit = test->unit.n ? test->unit : unit;
    test->range = test->range.n ? test->range : range;
    test->units_differ = test->units_differ || (unit.n && !str_eq(unit, test->unit));
    if (cell->value.n) {
        cell->others++;
        return;
    }
    *cell = (struct result_cell){
        .value = result_value(cx, body), .unit = unit, .flag = result_flag(body, &level),
        .range = range.n && !str_eq(range, test->range) ? range : S(""),
        .state = found->state, .href = home_href(cx, found->look->patient, found->item),
    };
    if (str_eq(cell->state, cell->value))
        cell->state = S("");
}

/* ---- one test ---- */

static void take_point(const struct found *found, struct result_list *list)
{
    struct ctx *cx = found->look->cx;
    struct json body = found->body, ranges = json_get(body, S("referenceRange"));
    struct json range = json_count(ranges) == 1 ? json_at(ranges, 0) : (struct json){ 0 };
    enum result_level level;
    if (!str_eq(key_of(cx, body), list->test))
        return;
    if (list->points_count == RESULT_LINE) {
        list->more = true;
        return;
    }
    if (!list->test_name.n)
        list->test_name = record_concept(cx, body, "code");
    list->points[list->points_count++] = (struct result_point){
        .when = record_shown_when(cx, record_when(cx, found->item->body)),
        .brief = record_brief_when(cx, record_when(cx, found->item->body)),
        .value = result_value(cx, body), .unit = result_unit(cx, body),
        .flag = result_flag(body, &level), .range = result_range(cx, body), .state = found->state,
        .href = home_href(cx, found->look->patient, found->item),
        .number = number_of(json_get(body, S("valueQuantity"))),
        .low = number_of(json_get(range, S("low"))), .high = number_of(json_get(range, S("high"))),
    };
}

/* The points of one unit, oldest first; what is no number ("<5") is a gap. */
static void draw_line(struct record_look *look, struct result_list *list, str unit)
{
    struct ctx *cx = look->cx;
    size_t n = 0, numbers = 0, most = list->points_count;
    double *values = arena_array(cx->arena, most, sizeof *values);
    double *low = arena_array(cx->arena, most, sizeof *low);
    double *high = arena_array(cx->arena, most, sizeof *high);
    str *labels = arena_array(cx->arena, most, sizeof *labels);
    bool ranges = true;
    for (size_t i = most; i-- > 0;) {
        const struct result_point *point = &list->points[i];
        if (!str_eq(point->unit, unit))
            continue;
        values[n] = point->number;
        low[n] = point->low;
        high[n] = point->high;
        labels[n++] = point->brief;
        numbers += isnan(point->number) ? 0 : 1;
        ranges = ranges && (isnan(point->number) || (!isnan(point->low) && !isnan(point->high)));
    }
    if (numbers < 2)
        return;
    for (size_t i = 0; n > LABELS_WHOLE && i < n; i++) { /* "22 Nov, 10:42" has no room */
        size_t comma = str_find_char(labels[i], ',');
        labels[i] = comma == STR_NONE ? labels[i] : str_slice(labels[i], 0, comma);
    }
    struct ui_series series = { "Value", values };
    struct ui_chart chart = {
        .kind = UI_CHART_LINE, .title = list->test_name, .unit = unit, .labels = labels,
        .labels_count = n, .series = &series, .series_count = 1, .limit = NAN,
        .band_low = ranges ? low : NULL, .band_high = ranges ? high : NULL,
        .marks = arena_array(cx->arena, n, sizeof(int)),
        .summary = arena_printf(cx->arena, "%d values%s%.*s, sample by sample; %s.", (int)numbers,
                                unit.n ? " in " : "", STR_ARG(unit),
                                ranges ? "the band is the laboratory's reference range"
                                       : "not each came with a reference range, so none is drawn"),
    };
    struct buf out = buf_make(cx->arena, CHART_BYTES);
    ui_chart_draw(&out, &chart);
    list->lines[list->lines_count++] = (struct result_line){ unit, { buf_str(&out) } };
}

static void draw_lines(struct record_look *look, struct result_list *list)
{
    list->lines = arena_array(look->cx->arena, list->points_count + 1, sizeof *list->lines);
    for (size_t i = 0; i < list->points_count; i++) {
        size_t before = 0;
        while (before < i && !str_eq(list->points[before].unit, list->points[i].unit))
            before++;
        if (before == i)
            draw_line(look, list, list->points[i].unit);
    }
}

err result_values_read(struct record_look *look, struct result_list *list)
{
    struct ctx *cx = look->cx;
    struct record_set set;
    bool one = list->test.n > 0;
    struct buf query = buf_make(cx->arena, 4096);
    buf_printf(&query, "patient=Patient/%.*s&category=laboratory&_sort=-date",
               STR_ARG(look->patient));
    TRY(record_find(cx, look->store, "Observation", buf_str(&query), RESULT_VALUES, &set));
    list->tests = arena_array(cx->arena, RESULT_TESTS, sizeof *list->tests);
    list->points = arena_array(cx->arena, RESULT_LINE, sizeof *list->points);
    list->more = list->more || set.more;
    for (size_t i = 0; i < set.count; i++)
        if (!home_is_wrong(set.items[i].body))
            each_value(look, &set.items[i], one ? take_point : take_cell, list);
    for (size_t i = 0; i < list->samples_count; i++)
        list->samples[i] = record_brief_when(cx, list->samples[i]);
    if (one)
        draw_lines(look, list);
    return ERR_OK;
}
