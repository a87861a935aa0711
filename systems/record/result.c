/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/record/result.h"
#include "base/clock.h"
#include "fhir/validate.h"
#include "http/text.h"
#include "record_result.html.h"
#include "store/commit.h"
#include "systems/record/entry.h"
#include "systems/record/home.h"

enum { FOLLOWUP_MAX = 500 };

/* ---- reports and who has seen them ---- */

static str ack_id(struct ctx *cx, str report, int64_t vid)
{
    return arena_printf(cx->arena, "ack-%.*s-%lld", STR_ARG(str_slice(report, 0, 48)),
                        (long long)vid);
}

static void read_ack(struct ctx *cx, struct store *store, struct result_report *report)
{
    struct record_item task;
    size_t count = cx->issues.count, kept = cx->issues.kept;
    if (record_read(cx, store, "Task", ack_id(cx, report->id, (int64_t)report->vid), &task) ==
            ERR_OK && !home_is_wrong(task.body)) {
        str who = record_person(cx, store, json_get(task.body, S("owner")));
        report->acknowledged = true;
        report->by = arena_printf(cx->arena, "%.*s, %.*s", STR_ARG(who),
                                  STR_ARG(record_shown_when(cx, record_text(cx, task.body,
                                                                            "lastModified"))));
        report->followup = record_text(cx, task.body, "description");
    }
    cx->issues.count = count;
    cx->issues.kept = kept;
}

err result_reports(struct ctx *cx, struct store *store, str patient, struct result_list *out)
{
    struct record_set set;
    struct clock_civil day = clock_to_civil(cx->now_ms - (int64_t)RESULT_DAYS * 86400000);
    str since = arena_printf(cx->arena, "%04d-%02d-%02d", day.year, day.month, day.day);
    TRY(record_find(cx, store, "DiagnosticReport",
                    arena_printf(cx->arena, "patient=Patient/%.*s&date=ge%.*s&_sort=-date",
                                 STR_ARG(patient), STR_ARG(since)), RESULT_REPORTS, &set));
    out->reports = arena_array(cx->arena, set.count + 1, sizeof *out->reports);
    out->more = set.more;
    for (size_t i = 0; i < set.count; i++) {
        struct json body = set.items[i].body;
        struct result_report *report = &out->reports[out->reports_count];
        str status = record_text(cx, body, "status");
        if (home_is_wrong(body) || str_eq(status, S("registered")))
            continue;
        out->reports_count++;
        *report = (struct result_report){
            .id = set.items[i].id, .vid = (uint64_t)set.items[i].vid,
            .when = record_shown_when(cx, record_when(cx, body)),
            .text = record_concept(cx, body, "code"),
            .more = record_text(cx, body, "conclusion"),
            .corrected = str_eq(status, S("corrected")) || str_eq(status, S("amended")),
        };
        read_ack(cx, store, report);
        out->waiting += !report->acknowledged;
    }
    return ERR_OK;
}

/* The Task that says so, for one report as it was when it was read. */
static err ack_op(struct record_look *look, str report_and_vid, str follow, struct commit_op *op)
{
    struct ctx *cx = look->cx;
    struct record_item report;
    struct entry_author author = entry_author(cx);
    struct entry_change change = { .cx = cx };
    str rest = report_and_vid, id;
    uint64_t vid;
    if (!str_next(&rest, '/', &id) || !str_to_u64(rest, &vid))
        return ctx_fail(cx, ERR_INVALID, S("report"), S("a report is named as id/version"));
    TRY(record_read(cx, look->store, "DiagnosticReport", id, &report));
    if (!str_eq(record_reference_id(cx, report.body, "subject", "Patient"), look->patient))
        return ctx_fail(cx, ERR_NOT_FOUND, S(""), S("this patient has no such report"));
    if ((int64_t)vid != report.vid)
        return ctx_fail(cx, ERR_CONFLICT, S(""), S("a report was corrected after you read it: go "
                                                   "back, read it again, then acknowledge"));
    *op = (struct commit_op){ .verb = COMMIT_CREATE, .resource = fhir_resource_find(S("Task")),
                              .id = ack_id(cx, report.id, report.vid), .skip_unchanged = true };
    entry_put_text(&change, "id", op->id);
    entry_put_text(&change, "status", S("completed"));
    entry_put_text(&change, "intent", S("order"));
    entry_put(&change, "code", S("{\"coding\":[{\"system\":\"https://frontline.example/CodeSystem/"
                                 "task\",\"code\":\"result-acknowledged\"}],\"text\":\"Result "
                                 "acknowledged\"}"));
    entry_put_text(&change, "description", follow);
    entry_put(&change, "focus", entry_reference(cx, "DiagnosticReport", arena_printf(cx->arena,
              "%.*s/_history/%lld", STR_ARG(report.id), (long long)report.vid)));
    entry_put(&change, "for", entry_reference(cx, "Patient", look->patient));
    entry_put_text(&change, "authoredOn", entry_now(cx));
    entry_put_text(&change, "lastModified", entry_now(cx));
    entry_put(&change, "owner", entry_person(cx, &author));
    TRY(entry_made(&change, "Task", &op->body));
    return validate_resource(cx, op->body);
}

err result_acknowledge_post(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct record_look look;
    struct http_param param;
    struct commit_op *ops = arena_array(cx->arena, RESULT_REPORTS, sizeof *ops);
    struct commit commit = { .ops = ops, .cx = cx, .who = entry_author(cx).display,
                             .why = S("record: result acknowledged") };
    TRY(record_look_open(request, response, &look));
    str rest = request->body, value;
    str follow = str_trim(http_query_value(cx->arena, request->body, S("followup")));
    follow = follow.n ? str_slice(follow, 0, FOLLOWUP_MAX) : S("No action needed");
    while (http_next_param(&rest, &param) && commit.ops_count < RESULT_REPORTS)
        if (str_eq(param.name, S("report")) && http_decode(cx->arena, param.value, true, &value))
            TRY(ack_op(&look, value, follow, &ops[commit.ops_count++]));
    if (!commit.ops_count)
        return ctx_fail(cx, ERR_INVALID, S("report"), S("tick the reports you have read: go back "
                                                        "and choose"));
    TRY(commit_run(cx, request->store, &commit));
    response->status = 303;
    http_put_header(response, S("Location"), arena_printf(cx->arena, "/record/patient/%.*s/results",
                                                          STR_ARG(look.patient)));
    return ERR_OK;
}

/* ---- values over time ---- */

static str range_of(struct ctx *cx, struct json body)
{
    struct json range = json_at(json_get(body, S("referenceRange")), 0);
    str low = json_text(json_get(json_get(range, S("low")), S("value")));
    str high = json_text(json_get(json_get(range, S("high")), S("value")));
    str text = record_text(cx, range, "text");
    if (low.n && high.n)
        return arena_printf(cx->arena, "%.*s to %.*s", STR_ARG(low), STR_ARG(high));
    if (low.n)
        return arena_printf(cx->arena, "%.*s or more", STR_ARG(low));
    return high.n ? arena_printf(cx->arena, "up to %.*s", STR_ARG(high)) : text;
}

static str flag_of(struct ctx *cx, struct json body)
{
    static const struct { const char *code, *text; } rows[] = {
        { "HH", "Critically high" }, { "LL", "Critically low" }, { "H", "High" }, { "L", "Low" },
        { "HU", "Very high" }, { "LU", "Very low" }, { "AA", "Critical" }, { "A", "Abnormal" },
        { "POS", "Positive" }, { "R", "Resistant" },
    };
    struct json concept = json_at(json_get(body, S("interpretation")), 0);
    for (size_t i = 0; i < COUNT(rows); i++)
        if (record_has_code(concept, rows[i].code))
            return str_of(rows[i].text);
    (void)cx;
    return S("");
}

static str value_of(struct ctx *cx, struct json body)
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
    return text.n ? text : S("No value");
}

static size_t find_sample(struct result_list *list, str when)
{
    for (size_t i = 0; i < list->samples_count; i++)
        if (str_eq(list->samples[i], when))
            return i;
    if (list->samples_count == RESULT_SAMPLES)
        return RESULT_SAMPLES;
    list->samples[list->samples_count] = when;
    return list->samples_count++;
}

static struct result_test *find_test(struct result_list *list, str name)
{
    for (size_t i = 0; i < list->tests_count; i++)
        if (str_eq(list->tests[i].name, name))
            return &list->tests[i];
    if (list->tests_count == RESULT_TESTS)
        return NULL;
    list->tests[list->tests_count].name = name;
    return &list->tests[list->tests_count++];
}

static void add_value(struct record_look *look, const struct record_item *item,
                      struct result_list *list)
{
    struct ctx *cx = look->cx;
    size_t sample = find_sample(list, record_when(cx, item->body));
    struct result_test *test = sample == RESULT_SAMPLES
                                   ? NULL : find_test(list, record_concept(cx, item->body, "code"));
    if (!test) {
        list->more = true;
        return;
    }
    str unit = record_text(cx, json_get(item->body, S("valueQuantity")), "unit");
    str range = range_of(cx, item->body);
    struct result_cell *cell = &test->cells[sample];
    if (!test->unit.n)
        test->unit = unit;
    test->units_differ = test->units_differ || (unit.n && !str_eq(unit, test->unit));
    if (!test->range.n)
        test->range = range;
    if (!cell->value.n)
        *cell = (struct result_cell){ value_of(cx, item->body), unit, flag_of(cx, item->body),
                                      home_href(cx, look->patient, item) };
}

static err read_values(struct record_look *look, struct result_list *list)
{
    struct ctx *cx = look->cx;
    struct record_set set;
    TRY(record_find(cx, look->store, "Observation",
                    arena_printf(cx->arena, "patient=Patient/%.*s&category=laboratory&_sort=-date",
                                 STR_ARG(look->patient)), RESULT_VALUES, &set));
    list->tests = arena_array(cx->arena, RESULT_TESTS, sizeof *list->tests);
    for (size_t i = 0; i < set.count; i++)
        if (!home_is_wrong(set.items[i].body))
            add_value(look, &set.items[i], list);
    for (size_t i = 0; i < list->samples_count; i++)
        list->samples[i] = record_shown_when(cx, list->samples[i]);
    return ERR_OK;
}

err result_draw(struct record_look *look)
{
    struct result_list list = { .patient = look->patient };
    list.may_write = record_permits(look->cx, S("record.write")) &&
                     record_may(look->cx, "Task", 'c');
    TRY(result_reports(look->cx, look->store, look->patient, &list));
    TRY(read_values(look, &list));
    result_page(&look->out, &list);
    return ERR_OK;
}
