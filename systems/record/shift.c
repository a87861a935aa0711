/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/record/shift.h"
#include "auth/gate.h"
#include "base/map.h"
#include "fhir/datetime.h"
#include "systems/record/follow.h"
#include "systems/record/ward.h"
#include "ui/browse.h"

/* Somebody of one's own with results that wait. */
struct waiting {
    struct ui_patient who;
    str place;
    struct result_list results;
};
struct shift {
    struct ui_home *home;
    struct ctx *cx;
    struct store *store;
    str who;                 /* "Practitioner/x"; empty: nobody in the record */
    struct waiting *waiting;
    size_t waiting_count, waiting_cap;
    struct map seen;
};

static str counted(struct ctx *cx, size_t n, const char *one, const char *many)
{
    return arena_printf(cx->arena, "%zu %s", n, n == 1 ? one : many);
}

static str patient_href(struct ctx *cx, str id, const char *tab)
{
    return arena_printf(cx->arena, "/record/patient/%.*s%s", STR_ARG(id), tab);
}

static err add_waiting(struct shift *shift, const struct ui_patient *who, str place,
                       struct result_list *out)
{
    *out = (struct result_list){ 0 };
    TRY(result_reports(shift->cx, shift->store, who->id, out));
    if (!out->waiting || !map_add(&shift->seen, who->id, 1, NULL))
        return ERR_OK;
    shift->waiting = arena_grow(shift->cx->arena, shift->waiting, shift->waiting_count,
                                &shift->waiting_cap, sizeof *shift->waiting);
    shift->waiting[shift->waiting_count++] = (struct waiting){ *who, place, *out };
    return ERR_OK;
}

static void say_waiting(struct ctx *cx, const struct result_list *results,
                        struct ui_home_line *line)
{
    if (!results->waiting)
        return;
    line->chip = results->critical ? counted(cx, results->critical, "critical result",
                                             "critical results")
                                   : counted(cx, results->waiting, "result", "results");
    line->tone = results->critical ? UI_HIGH
                 : results->reports[0].level == RESULT_ABNORMAL ? UI_MEDIUM : UI_LOW;
}

/* ---- the person's own ---- */

static err add_patients(struct shift *shift)
{
    struct ctx *cx = shift->cx;
    struct record_set set;
    struct map seen = map_make(cx->arena);
    struct ui_home_card *card = NULL;
    TRY(record_find(cx, shift->store, "Encounter",
                    arena_printf(cx->arena, "participant=%.*s&status=in-progress&_sort=-date",
                                 STR_ARG(shift->who)), SHIFT_PATIENTS, &set));
    for (size_t i = 0; i < set.count; i++) {
        struct ui_banner banner;
        struct result_list results;
        str id = record_reference_id(cx, set.items[i].body, "subject", "Patient");
        if (!id.n || !map_add(&seen, id, 1, NULL) ||
            ui_banner_read(cx, shift->store, id, &banner) != ERR_OK)
            continue;
        if (!card)
            card = ui_home_add(shift->home, "patients", "Your patients", "");
        TRY(add_waiting(shift, &banner.who, banner.location.text, &results));
        struct ui_home_line *line = ui_home_line(card);
        if (!line)
            continue;
        *line = (struct ui_home_line){ .text = ui_patient_name(cx, &banner.who),
                                       .href = patient_href(cx, id, ""),
                                       .more = banner.location.text };
        say_waiting(cx, &results, line);
    }
    if (card && card->of_count > card->lines_count) {
        card->all_href = S("/record");
        card->all_text = S("All your patients");
    }
    return ERR_OK;
}

static err add_tasks(struct shift *shift)
{
    struct ctx *cx = shift->cx;
    struct record_set set;
    struct ui_home_card *card = ui_home_add(shift->home, "tasks", "Your tasks",
                                            "Nothing is asked of you by name.");
    TRY(record_find(cx, shift->store, "Task",
                    arena_printf(cx->arena, "owner=%.*s&status=requested,accepted,in-progress,"
                                 "on-hold&_sort=-authored-on", STR_ARG(shift->who)), SHIFT_TASKS,
                    &set));
    for (size_t i = 0; i < set.count; i++) {
        struct record_item patient;
        struct datetime due;
        struct json body = set.items[i].body;
        str id = record_reference_id(cx, body, "for", "Patient");
        str text = record_text(cx, body, "description");
        str end = record_text(cx, json_get(json_get(body, S("restriction")), S("period")), "end");
        if (!id.n || record_read(cx, shift->store, "Patient", id, &patient) != ERR_OK)
            continue;
        struct ui_home_line *line = ui_home_line(card);
        struct ui_patient who = ui_patient_of(cx, patient.body);
        bool late = datetime_parse(end, DATETIME_AS_DATE_TIME, &due) && due.high_ms < cx->now_ms;
        if (line)
            *line = (struct ui_home_line){
                .text = text.n ? text : record_concept(cx, body, "code"),
                .href = home_href(cx, id, &set.items[i]), .more = ui_patient_name(cx, &who),
                .when = end.n ? arena_printf(cx->arena, "by %.*s",
                                             STR_ARG(record_brief_when(cx, end))) : S(""),
                .chip = late ? S("Overdue") : S(""), .tone = UI_HIGH,
            };
    }
    return ERR_OK;
}

static err add_drafts(struct shift *shift)
{
    struct find_draft *drafts;
    size_t count;
    struct ui_home_card *card = NULL;
    TRY(find_drafts(shift->cx, shift->store, shift->who, &drafts, &count));
    if (count)
        card = ui_home_add(shift->home, "drafts", "Your notes, not signed", "");
    for (size_t i = 0; i < count; i++) {
        struct ui_home_line *line = ui_home_line(card);
        if (line)
            *line = (struct ui_home_line){ .text = drafts[i].title, .href = drafts[i].href,
                                           .more = drafts[i].patient, .when = drafts[i].when };
    }
    return ERR_OK;
}

/* ---- the person's wards ---- */

static err add_ward(struct shift *shift, str ward, struct ui_home_line *line)
{
    struct ctx *cx = shift->cx;
    struct ward_list list;
    struct result_report worst = { .level = RESULT_PLAIN };
    struct result_list all = { .reports = &worst };
    TRY(ward_read(cx, shift->store, ward, &list));
    for (size_t i = 0; i < list.rows_count; i++) {
        struct result_list results;
        TRY(add_waiting(shift, &list.rows[i].banner.who,
                        arena_printf(cx->arena, "%.*s, %.*s", STR_ARG(list.rows[i].bed),
                                     STR_ARG(list.name)), &results));
        all.waiting += results.waiting;
        all.critical += results.critical;
        if (results.waiting && results.reports[0].level > worst.level)
            worst.level = results.reports[0].level;
    }
    line->more = counted(cx, list.rows_count, "patient", "patients");
    say_waiting(cx, &all, line);
    return ERR_OK;
}

static err add_wards(struct shift *shift)
{
    struct ctx *cx = shift->cx;
    const struct ui_link *links;
    size_t count;
    bool all;
    TRY(ward_links(cx, &links, &count, &all));
    struct ui_home_card *card = ui_home_add(shift->home, "wards", all ? "Wards" : "Your wards",
                                            "No ward is set up: a Location of type ward makes "
                                            "one.");
    for (size_t i = 0; i < count; i++) {
        struct ui_home_line *line = ui_home_line(card);
        str href = str_of(links[i].href);
        if (!line)
            continue;
        *line = (struct ui_home_line){ .text = str_of(links[i].text), .href = href };
        str id = str_slice(href, sizeof "/record/ward/" - 1, href.n);
        if (all || i >= SHIFT_WARDS)
            continue;
        if (i == 0)
            follow_ward(shift->home->request, id, shift->home->seq, shift->home->page);
        TRY(add_ward(shift, id, line));
    }
    if (card->of_count > card->lines_count) {
        card->all_href = S("/record");
        card->all_text = S("All wards");
    }
    return ERR_OK;
}

/* ---- results ---- */

static int by_urgency(const void *a, const void *b)
{
    const struct result_report *x = ((const struct waiting *)a)->results.reports;
    const struct result_report *y = ((const struct waiting *)b)->results.reports;
    if (x->level != y->level)
        return (int)y->level - (int)x->level;
    return (x->at_ms > y->at_ms) - (x->at_ms < y->at_ms);
}

static void add_results(struct shift *shift)
{
    struct ctx *cx = shift->cx;
    struct ui_home_card *card = ui_home_add(shift->home, "results", "Results to acknowledge",
                                            "Every report of your patients is acknowledged.");
    if (shift->waiting_count)
        qsort(shift->waiting, shift->waiting_count, sizeof *shift->waiting, by_urgency);
    for (size_t i = 0; i < shift->waiting_count; i++) {
        const struct waiting *one = &shift->waiting[i];
        struct ui_home_line *line = ui_home_line(card);
        if (!line)
            continue;
        const struct result_report *first = &one->results.reports[0];
        *line = (struct ui_home_line){
            .text = ui_patient_name(cx, &one->who),
            .href = patient_href(cx, one->who.id, "/results"),
            .more = first->flagged.n ? first->flagged
                                     : arena_printf(cx->arena, "%.*s: %.*s", STR_ARG(one->place),
                                                    STR_ARG(first->text)),
            .when = first->age,
        };
        say_waiting(cx, &one->results, line);
    }
}

err shift_fill(struct ui_home *home)
{
    struct ctx *cx = home->request->cx;
    struct shift shift = { .home = home, .cx = cx, .store = home->request->store,
                           .seen = map_make(cx->arena) };
    if (record_permits(cx, S("record.find")))
        home->find = S("/record/find");
    if (!record_permits(cx, S("record.read")))
        return ERR_OK;
    bool named = cx->user && str_starts(cx->user->person.who, S("Practitioner/"));
    shift.who = named ? cx->user->person.who : S("");
    if (named && record_may(cx, "Encounter", 'r'))
        TRY(add_patients(&shift));
    TRY(add_wards(&shift));
    if (record_may(cx, "DiagnosticReport", 'r') && (shift.waiting_count ||
                                                    ui_home_areas(home).n))
        add_results(&shift);
    if (named && record_may(cx, "Task", 'r'))
        TRY(add_tasks(&shift));
    if (named && record_may(cx, "Composition", 'r'))
        TRY(add_drafts(&shift));
    return ERR_OK;
}
