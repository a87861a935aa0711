/* SPDX-License-Identifier: Apache-2.0 */
#include "assets.h"
#include "auth/gate.h"
#include "fhir/datetime.h"
#include "record_ward.html.h"
#include "systems/record/follow.h"
#include "systems/record/home.h"
#include "systems/record/note.h"
#include "systems/record/result.h"
#include "systems/record/ward.h"
#include "ui_page.html.h"

enum { TASKS_MAX = 12 };

static const char *const islands[] = { ASSET_TABLE_JS };

/* ---- what is known of each beside the banner ---- */

static err add_tasks(struct ctx *cx, struct store *store, struct ward_row *row)
{
    struct record_set set;
    TRY(record_find(cx, store, "Task",
                    arena_printf(cx->arena, "patient=Patient/%.*s&status=requested,accepted,"
                                 "in-progress,on-hold&_sort=-authored-on",
                                 STR_ARG(row->banner.who.id)), TASKS_MAX, &set));
    struct ward_task *tasks = arena_array(cx->arena, set.count + 1, sizeof *tasks);
    for (size_t i = 0; i < set.count; i++) {
        struct json body = set.items[i].body;
        struct datetime when;
        str text = record_text(cx, body, "description");
        str due = record_text(cx, json_get(json_get(body, S("restriction")), S("period")), "end");
        tasks[row->tasks_count++] = (struct ward_task){
            .text = text.n ? text : record_concept(cx, body, "code"),
            .due = due.n ? record_shown_when(cx, due) : S(""),
            .owner = record_person(cx, store, json_get(body, S("owner"))),
            .late = datetime_parse(due, DATETIME_AS_DATE_TIME, &when) && when.high_ms < cx->now_ms,
        };
    }
    row->tasks = tasks;
    return ERR_OK;
}

static err add_handover(struct ctx *cx, struct store *store, struct ward_row *row)
{
    static const char *const headings[] = { "situation", "background", "assessment",
                                            "recommendation" };
    struct record_set set;
    TRY(record_find(cx, store, "Composition",
                    arena_printf(cx->arena, "patient=Patient/%.*s&type=sbar-handover&_sort=-date",
                                 STR_ARG(row->banner.who.id)), 5, &set));
    for (size_t i = 0; i < set.count; i++) {
        struct json body = set.items[i].body;
        if (home_is_wrong(body) || note_is_anothers(cx, body))
            continue;
        for (size_t k = 0; k < COUNT(headings); k++)
            row->sbar[k] = note_section(cx, body, headings[k]);
        str by = record_person(cx, store, json_at(json_get(body, S("author")), 0));
        row->sbar_by = arena_printf(cx->arena, "%.*s, %.*s%s", STR_ARG(by),
                                    STR_ARG(record_shown_when(cx, record_text(cx, body, "date"))),
                                    note_is_draft(body) ? " (draft, not signed)" : "");
        break;
    }
    return ERR_OK;
}

/* The last NEWS2 total; its time stands beside it, so that an old one is not taken for now. */
static err add_score(struct ctx *cx, struct store *store, struct ward_row *row)
{
    struct record_set set;
    TRY(record_find(cx, store, "Observation",
                    arena_printf(cx->arena, "patient=Patient/%.*s&code=http://snomed.info/sct|"
                                 "1104051000000101&_sort=-date", STR_ARG(row->banner.who.id)), 1,
                    &set));
    row->news2 = S("Not known");
    if (!set.count)
        return ERR_OK;
    struct json body = set.items[0].body;
    str total = json_text(json_get(json_get(body, S("valueQuantity")), S("value")));
    uint64_t score;
    if (!total.n)
        total = json_text(json_get(body, S("valueInteger")));
    if (!str_to_u64(total, &score))
        return ERR_OK;
    row->news2 = arena_printf(cx->arena, "%.*s at %.*s", STR_ARG(total),
                              STR_ARG(record_brief_when(cx, record_when(cx, body))));
    row->news2_tone = score >= 7 ? UI_HIGH : score >= 5 ? UI_MEDIUM : score > 0 ? UI_LOW : UI_GOOD;
    return ERR_OK;
}

static err add_results(struct ctx *cx, struct store *store, struct ward_row *row)
{
    struct result_list list = { 0 };
    TRY(result_reports(cx, store, row->banner.who.id, &list));
    row->results_waiting = list.waiting;
    row->reports = list.reports;
    return ERR_OK;
}

/* Whose result is worst, then who waits longest; those with none last. */
static int by_results(const void *a, const void *b)
{
    const struct ward_row *x = a, *y = b;
    if (!x->results_waiting || !y->results_waiting)
        return (y->results_waiting > 0) - (x->results_waiting > 0);
    if (x->reports[0].level != y->reports[0].level)
        return (int)y->reports[0].level - (int)x->reports[0].level;
    return (x->reports[0].at_ms > y->reports[0].at_ms) -
           (x->reports[0].at_ms < y->reports[0].at_ms);
}

static err read_all(struct ctx *cx, struct store *store, str ward, struct ward_list *list)
{
    TRY(ward_read(cx, store, ward, list));
    for (size_t i = 0; i < list->rows_count; i++) {
        TRY(add_tasks(cx, store, &list->rows[i]));
        TRY(add_handover(cx, store, &list->rows[i]));
        TRY(add_score(cx, store, &list->rows[i]));
        TRY(add_results(cx, store, &list->rows[i]));
    }
    return ERR_OK;
}

/* ---- the pages ---- */

typedef void ward_draw(struct buf *out, struct ctx *cx, const struct ward_list *list);

static void ward_results_sorted(struct buf *out, struct ctx *cx, const struct ward_list *list)
{
    struct ward_list sorted = *list;
    sorted.rows = arena_array(cx->arena, list->rows_count + 1, sizeof *sorted.rows);
    for (size_t i = 0; i < list->rows_count; i++)
        sorted.rows[i] = list->rows[i];
    qsort(sorted.rows, sorted.rows_count, sizeof *sorted.rows, by_results);
    ward_results_page(out, cx, &sorted);
}

static err ward_show(struct http_request *request, struct http_response *response,
                     const char *title, ward_draw *draw)
{
    struct ctx *cx = request->cx;
    struct ward_list list;
    int64_t seq = store_seq(request->store);
    TRY(store_reader(cx, request->store));
    TRY(read_all(cx, request->store, request->captures[0], &list));
    struct ui_page page = ui_page_for(request, arena_printf(cx->arena, "%.*s%s",
                                                            STR_ARG(list.name), title));
    struct buf out = ui_page_buf(request);
    page.section = "/record";
    page.wide = true;
    follow_ward(request, list.id, seq, &page);
    page.islands = islands;
    page.islands_count = COUNT(islands);
    page.back_href = S("/record");
    page.back_text = S("Patients");
    ui_page_open(&out, &page);
    draw(&out, cx, &list);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}

err ward_get(struct http_request *request, struct http_response *response)
{
    return ward_show(request, response, "", ward_list_page);
}

err ward_handover_get(struct http_request *request, struct http_response *response)
{
    return ward_show(request, response, ": handover", ward_handover_page);
}

err ward_results_get(struct http_request *request, struct http_response *response)
{
    return ward_show(request, response, ": results to acknowledge", ward_results_sorted);
}

/* ---- the pack for paper: the list, then a page a patient ---- */

static err add_card(struct record_look *look, const char *type, const char *query,
                    struct ward_paper *paper)
{
    struct record_set set;
    struct home_line *lines;
    TRY(record_find(look->cx, look->store, type,
                    arena_printf(look->cx->arena, "patient=Patient/%.*s%s", STR_ARG(look->patient),
                                 query), WARD_PAPER_LINES, &set));
    lines = arena_array(look->cx->arena, set.count + 1, sizeof *lines);
    for (size_t i = 0; i < set.count; i++)
        if (!home_is_wrong(set.items[i].body))
            lines[paper->lines_count++] = home_line_of(look, &set.items[i]);
    paper->lines = lines;
    paper->more = set.more;
    return ERR_OK;
}

static err draw_paper(struct http_request *request, const struct ward_row *row, struct buf *out)
{
    static const struct { const char *title, *type, *query; } cards[] = {
        { "Problems", "Condition", "&clinical-status=active&_sort=-onset-date" },
        { "Medicines now", "MedicationRequest", "&status=active&_sort=-date" },
        { "Latest observations", "Observation", "&category=vital-signs&_sort=-date" },
        { "Latest results", "Observation", "&category=laboratory&_sort=-date" },
    };
    struct ward_paper papers[COUNT(cards)] = { 0 };
    struct record_look look = { .request = request, .cx = request->cx, .store = request->store,
                                .patient = row->banner.who.id };
    for (size_t i = 0; i < COUNT(cards); i++) {
        papers[i].title = cards[i].title;
        TRY(add_card(&look, cards[i].type, cards[i].query, &papers[i]));
    }
    ward_paper_page(out, request->cx, row, papers, COUNT(cards));
    return ERR_OK;
}

err ward_downtime_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct ward_list list;
    TRY(store_reader(cx, request->store));
    TRY(read_all(cx, request->store, request->captures[0], &list));
    struct ui_page page = ui_page_for(request, arena_printf(cx->arena, "%.*s: downtime pack",
                                                            STR_ARG(list.name)));
    struct buf out = ui_page_buf(request);
    page.section = "/record";
    ui_page_open(&out, &page);
    ward_handover_page(&out, cx, &list);
    for (size_t i = 0; i < list.rows_count; i++)
        TRY(draw_paper(request, &list.rows[i], &out));
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}
