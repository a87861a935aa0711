/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/record/result.h"
#include "base/clock.h"
#include "fhir/datetime.h"
#include "fhir/validate.h"
#include "http/text.h"
#include "record_result.html.h"
#include "store/commit.h"
#include "systems/record/entry.h"
#include "systems/record/home.h"

enum { FOLLOWUP_MAX = 500, FLAGGED_BYTES = 2000, MINUTE_MS = 60000, ASKED_MAX = 200 };

#define TASK_CODE "https://frontline.example/CodeSystem/task"

/* ---- reports and who has seen them ---- */

static str ack_id(struct ctx *cx, str report, int64_t vid)
{
    return arena_printf(cx->arena, "ack-%.*s-%lld", STR_ARG(str_slice(report, 0, 48)),
                        (long long)vid);
}

str result_age(struct ctx *cx, int64_t at_ms)
{
    int64_t minutes = (cx->now_ms - at_ms) / MINUTE_MS;
    if (minutes < 0)
        return S("");
    if (minutes < 120)
        return arena_printf(cx->arena, "%d min", (int)minutes);
    if (minutes < 48 * 60)
        return arena_printf(cx->arena, "%d h", (int)(minutes / 60));
    return arena_printf(cx->arena, "%d days", (int)(minutes / 60 / 24));
}

/* The acknowledgement of a version, as it stands; false: there is none, or it was taken back. */
static bool find_ack(struct ctx *cx, struct store *store, str report, int64_t vid,
                     struct record_item *out)
{
    size_t count = cx->issues.count, kept = cx->issues.kept;
    bool is = record_read(cx, store, "Task", ack_id(cx, report, vid), out) == ERR_OK;
    cx->issues.count = count;
    cx->issues.kept = kept;
    return is;
}

static void read_ack(struct ctx *cx, struct store *store, struct result_report *report)
{
    struct record_item task;
    if (!find_ack(cx, store, report->id, (int64_t)report->vid, &task) || home_is_wrong(task.body))
        return;
    str who = record_person(cx, store, json_get(task.body, S("owner")));
    report->acknowledged = true;
    report->ack = task.id;
    report->by = arena_printf(cx->arena, "%.*s, %.*s", STR_ARG(who),
                              STR_ARG(record_shown_when(cx, record_text(cx, task.body,
                                                                        "lastModified"))));
    report->followup = record_text(cx, task.body, "description");
}

/* What of it is flagged, by name and value; how bad the worst is. */
static void add_flagged(struct ctx *cx, struct json body, struct buf *out,
                        enum result_level *level)
{
    enum result_level one = RESULT_PLAIN;
    str flag = result_flag(body, &one), unit = result_unit(cx, body);
    str name = record_concept(cx, body, "code"), value = result_value(cx, body);
    *level = one > *level ? one : *level;
    if (flag.n && out->n + name.n + value.n + unit.n + flag.n + 8 < FLAGGED_BYTES)
        buf_printf(out, "%s%.*s %.*s%s%.*s %.*s", out->n ? "; " : "", STR_ARG(name),
                   STR_ARG(value), unit.n ? " " : "", STR_ARG(unit), STR_ARG(flag));
    for (struct json_walk w = json_walk(json_get(body, S("component"))); json_next(&w);)
        add_flagged(cx, w.value, out, level);
}

static void read_flagged(struct ctx *cx, struct store *store, struct json report,
                         struct result_report *out)
{
    struct buf text = buf_make(cx->arena, FLAGGED_BYTES);
    size_t read = 0, count = cx->issues.count, kept = cx->issues.kept;
    for (struct json_walk w = json_walk(json_get(report, S("result")));
         json_next(&w) && read++ < RESULT_OF;) {
        struct validate_reference reference;
        struct record_item item;
        if (validate_read_reference(record_text(cx, w.value, "reference"), &reference) &&
            str_eq(reference.type, S("Observation")) &&
            record_read(cx, store, "Observation", reference.id, &item) == ERR_OK &&
            !home_is_wrong(item.body))
            add_flagged(cx, item.body, &text, &out->level);
    }
    cx->issues.count = count;
    cx->issues.kept = kept;
    out->flagged = buf_str(&text);
}

/* Somebody was asked to look at a report: a Task to do about it. */
static err add_asked(struct ctx *cx, struct store *store, str patient, struct result_list *list)
{
    struct record_set set;
    TRY(record_find(cx, store, "Task",
                    arena_printf(cx->arena, "patient=Patient/%.*s&status=requested,accepted,"
                                 "in-progress,on-hold&code=" TASK_CODE "|result-to-see",
                                 STR_ARG(patient)), RESULT_REPORTS, &set));
    for (size_t i = 0; i < set.count; i++) {
        str focus = record_text(cx, json_get(set.items[i].body, S("focus")), "reference"), id;
        str_next(&focus, '/', &id);
        str_next(&focus, '/', &id);
        for (size_t k = 0; k < list->reports_count; k++)
            if (str_eq(list->reports[k].id, id) && !list->reports[k].acknowledged)
                list->reports[k].asked = record_person(cx, store, json_get(set.items[i].body,
                                                                           S("owner")));
    }
    return ERR_OK;
}

static int by_urgency(const void *a, const void *b)
{
    const struct result_report *x = a, *y = b;
    if (x->acknowledged != y->acknowledged)
        return x->acknowledged - y->acknowledged;
    if (x->acknowledged)
        return (y->at_ms > x->at_ms) - (y->at_ms < x->at_ms);
    if (x->level != y->level)
        return (int)y->level - (int)x->level;
    return (x->at_ms > y->at_ms) - (x->at_ms < y->at_ms);
}

static void add_report(struct ctx *cx, struct store *store, const struct record_item *item,
                       struct result_list *out)
{
    struct result_report *report = &out->reports[out->reports_count];
    struct datetime when;
    str status = record_text(cx, item->body, "status"), at = record_when(cx, item->body);
    if (home_is_wrong(item->body) || str_eq(status, S("registered")) ||
        str_eq(status, S("cancelled")))
        return;
    out->reports_count++;
    *report = (struct result_report){
        .id = item->id, .vid = (uint64_t)item->vid, .when = record_shown_when(cx, at),
        .text = record_concept(cx, item->body, "code"),
        .more = record_text(cx, item->body, "conclusion"),
        .corrected = str_eq(status, S("corrected")) || str_eq(status, S("amended")),
        .preliminary = str_eq(status, S("preliminary")) || str_eq(status, S("partial")),
        .at_ms = datetime_parse(at, DATETIME_AS_DATE_TIME, &when) ? when.low_ms : item->at_ms,
    };
    report->age = result_age(cx, report->at_ms);
    read_ack(cx, store, report);
    if (report->acknowledged)
        return;
    read_flagged(cx, store, item->body, report);
    out->waiting++;
    out->critical += report->level == RESULT_CRITICAL;
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
    out->more_reports = set.more;
    for (size_t i = 0; i < set.count; i++)
        add_report(cx, store, &set.items[i], out);
    qsort(out->reports, out->reports_count, sizeof *out->reports, by_urgency);
    return out->waiting ? add_asked(cx, store, patient, out) : ERR_OK;
}

/* ---- seen, or asked about ---- */

/* A report that was named as id/version, of this patient, and as it is now. */
static err read_named(struct record_look *look, str report_and_vid, struct record_item *out)
{
    struct ctx *cx = look->cx;
    str rest = report_and_vid, id;
    uint64_t vid;
    if (!str_next(&rest, '/', &id) || !str_to_u64(rest, &vid))
        return ctx_fail(cx, ERR_INVALID, S("report"), S("a report is named as id/version"));
    TRY(record_read(cx, look->store, "DiagnosticReport", id, out));
    if (!str_eq(record_reference_id(cx, out->body, "subject", "Patient"), look->patient))
        return ctx_fail(cx, ERR_NOT_FOUND, S(""), S("this patient has no such report"));
    if ((int64_t)vid != out->vid)
        return ctx_fail(cx, ERR_CONFLICT, S(""), S("a report was corrected after you read it: go "
                                                   "back, read it again, then acknowledge"));
    return ERR_OK;
}

static str task_code(struct ctx *cx, const char *code, const char *text)
{
    return arena_printf(cx->arena, "{\"coding\":[{\"system\":\"" TASK_CODE "\",\"code\":\"%s\"}],"
                        "\"text\":\"%s\"}", code, text);
}

static err task_made(struct record_look *look, const struct record_item *report,
                     struct entry_change *change, struct commit_op *op)
{
    struct ctx *cx = look->cx;
    entry_put_text(change, "id", op->id);
    entry_put_text(change, "intent", S("order"));
    entry_put(change, "focus", entry_reference(cx, "DiagnosticReport", arena_printf(cx->arena,
              "%.*s/_history/%lld", STR_ARG(report->id), (long long)report->vid)));
    entry_put(change, "for", entry_reference(cx, "Patient", look->patient));
    entry_put_text(change, "authoredOn", entry_now(cx));
    entry_put_text(change, "lastModified", entry_now(cx));
    TRY(entry_made(change, "Task", &op->body));
    return validate_resource(cx, op->body);
}

/* The Task that says so, for one report as it was when it was read; *done: somebody had said it. */
static err ack_op(struct record_look *look, str named, str follow, struct commit_op *op, bool *done)
{
    struct ctx *cx = look->cx;
    struct record_item report, before;
    struct entry_author author = entry_author(cx);
    struct entry_change change = { .cx = cx };
    TRY(read_named(look, named, &report));
    *op = (struct commit_op){ .verb = COMMIT_CREATE, .resource = fhir_resource_find(S("Task")),
                              .id = ack_id(cx, report.id, report.vid), .skip_unchanged = true };
    bool known = find_ack(cx, look->store, report.id, report.vid, &before);
    *done = known && !home_is_wrong(before.body);
    if (*done)
        return ERR_OK;
    if (known) { /* it was taken back */
        op->verb = COMMIT_UPDATE;
        op->if_match_vid = before.vid;
    }
    entry_put_text(&change, "status", S("completed"));
    entry_put(&change, "code", task_code(cx, "result-acknowledged", "Result acknowledged"));
    entry_put_text(&change, "description", follow);
    entry_put(&change, "owner", entry_person(cx, &author));
    return task_made(look, &report, &change, op);
}

/* Somebody else is asked to look; the report waits on. */
static err ask_op(struct record_look *look, str named, str whom, struct commit_op *op)
{
    struct ctx *cx = look->cx;
    struct record_item report;
    struct entry_author author = entry_author(cx);
    struct entry_change change = { .cx = cx };
    TRY(read_named(look, named, &report));
    *op = (struct commit_op){ .verb = COMMIT_CREATE, .resource = fhir_resource_find(S("Task")),
                              .id = arena_printf(cx->arena, "see-%.*s-%lld-%llx",
                                                 STR_ARG(str_slice(report.id, 0, 30)),
                                                 (long long)report.vid,
                                                 (unsigned long long)cx->now_ms) };
    entry_put_text(&change, "status", S("requested"));
    entry_put(&change, "code", task_code(cx, "result-to-see", "Result to look at"));
    entry_put_text(&change, "description",
                   arena_printf(cx->arena, "Look at the result: %.*s of %.*s",
                                STR_ARG(record_concept(cx, report.body, "code")),
                                STR_ARG(record_shown_when(cx, record_when(cx, report.body)))));
    entry_put(&change, "owner", arena_printf(cx->arena, "{\"display\":%.*s}",
                                             STR_ARG(record_json_text(cx, whom))));
    entry_put(&change, "requester", entry_person(cx, &author));
    return task_made(look, &report, &change, op);
}

static err read_ops(struct record_look *look, str follow, str whom, struct commit *commit,
                    struct commit_op *ops, size_t *named)
{
    struct ctx *cx = look->cx;
    struct http_param param;
    str rest = look->request->body, value;
    *named = 0;
    while (http_next_param(&rest, &param) && *named < RESULT_REPORTS) {
        bool done = false;
        struct commit_op *op = &ops[commit->ops_count];
        if (!str_eq(param.name, S("report")) || !http_decode(cx->arena, param.value, true, &value))
            continue;
        ++*named;
        if (whom.n)
            TRY(ask_op(look, value, whom, op));
        else
            TRY(ack_op(look, value, follow, op, &done));
        commit->ops_count += !done;
    }
    return ERR_OK;
}

/* No more than so many bytes, and no letter cut in two. */
static str shortened(str text, size_t most)
{
    if (text.n <= most)
        return text;
    while (most && ((unsigned char)text.p[most] & 0xc0) == 0x80)
        most--;
    return str_slice(text, 0, most);
}

err result_acknowledge_post(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct record_look look;
    struct commit_op *ops = arena_array(cx->arena, RESULT_REPORTS + 1, sizeof *ops);
    struct commit commit = { .ops = ops, .cx = cx, .who = entry_author(cx).display,
                             .why = S("record: result acknowledged") };
    size_t named;
    TRY(record_look_open(request, response, &look));
    str follow = str_trim(http_query_value(cx->arena, request->body, S("followup")));
    str whom = str_trim(http_query_value(cx->arena, request->body, S("ask")));
    bool asks = str_eq(http_query_value(cx->arena, request->body, S("act")), S("ask"));
    follow = follow.n ? shortened(follow, FOLLOWUP_MAX) : S("No action needed");
    if (asks && !whom.n)
        return ctx_fail(cx, ERR_INVALID, S("ask"), S("say who is to look: go back and give a name "
                                                     "or a role"));
    TRY(read_ops(&look, follow, asks ? shortened(whom, ASKED_MAX) : S(""), &commit, ops,
                 &named));
    if (!named)
        return ctx_fail(cx, ERR_INVALID, S("report"), S("tick the reports you have read: go back "
                                                        "and choose"));
    if (commit.ops_count)
        TRY(commit_run(cx, request->store, &commit));
    response->status = 303;
    http_put_header(response, S("Location"),
                    arena_printf(cx->arena, "/record/patient/%.*s/results?done=%s",
                                 STR_ARG(look.patient), asks ? "asked" : "seen"));
    return ERR_OK;
}

err result_draw(struct record_look *look)
{
    struct result_list list = { .patient = look->patient };
    list.may_write = record_permits(look->cx, S("record.write")) &&
                     record_may(look->cx, "Task", 'c');
    list.test = http_query_value(look->cx->arena, look->request->query, S("test"));
    if (!list.test.n)
        TRY(result_reports(look->cx, look->store, look->patient, &list));
    TRY(result_values_read(look, &list));
    result_page(&look->out, &list);
    return ERR_OK;
}
