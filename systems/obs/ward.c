/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/obs/ward.h"
#include "systems/obs/calls.h"
#include "assets.h"
#include "auth/gate.h"
#include "base/clock.h"
#include "fhir/datetime.h"
#include "obs_chart.html.h"
#include "obs_ward.html.h"
#include "systems/obs/board.h"
#include "systems/obs/chart.h"
#include "store/access.h"
#include "ui/chart.h"
#include "ui/feed.h"
#include "ui/live.h"
#include "ui_page.html.h"

enum { SOON_MIN = 15, WARDS_MAX = 500, EXPECT_MS = 60000 };
static _Atomic int64_t drawn_ms; /* monotonic, when a board was last drawn */
static const char *const islands[] = { ASSET_TABLE_JS };

static int64_t instant_of(str text)
{
    struct datetime when;
    return datetime_parse(text, DATETIME_AS_DATE_TIME, &when) ? when.low_ms : 0;
}

/* ---- one patient ---- */

/* Texts with different offsets sort almost as instants do: put right here. */
static void sort_points(struct obs_point *points, size_t count)
{
    for (size_t i = 1; i < count; i++)
        for (size_t k = i; k > 0 && points[k - 1].at_ms < points[k].at_ms; k--) {
            struct obs_point swap = points[k];
            points[k] = points[k - 1];
            points[k - 1] = swap;
        }
}

static err read_points(struct ctx *cx, str patient, struct obs_point *points, size_t *count)
{
    struct db_stmt *stmt = db_use(cx, cx->db, obs_sql, OBS_SQL_SCORES);
    bool row;
    *count = 0;
    db_bind_text(stmt, 1, patient);
    db_bind_int(stmt, 2, OBS_SPARK * 2);
    for (;;) {
        TRY(db_step(cx, stmt, &row));
        if (!row)
            break;
        bool complete = !db_is_null(stmt, 2);
        int64_t at_ms = instant_of(db_text(stmt, 1));
        if (str_eq(db_text(stmt, 6), S("entered-in-error")) || !at_ms)
            continue;
        points[(*count)++] = (struct obs_point){
            .at_ms = at_ms, .complete = complete, .red = db_int(stmt, 4) == 1,
            .total = (int)db_int(stmt, complete ? 2 : 3), .excluded = db_int(stmt, 5) == 1 };
    }
    sort_points(points, *count);
    return ERR_OK;
}

static err read_alert(struct ctx *cx, str patient, struct obs_row *out)
{
    struct db_stmt *stmt = db_use(cx, cx->db, obs_sql, OBS_SQL_ALERT);
    bool row;
    db_bind_text(stmt, 1, patient);
    TRY(db_step(cx, stmt, &row));
    if (!row)
        return ERR_OK;
    bool told = str_eq(db_text(stmt, 1), S("requested"));
    bool snoozed = str_eq(db_text(stmt, 1), S("on-hold"));
    str since = obs_age(cx, instant_of(db_text(stmt, 3)));
    out->alert_id = arena_copy(cx->arena, db_text(stmt, 0));
    out->unanswered = told || snoozed;
    out->alert = arena_printf(cx->arena, "%s, raised %.*s", told ? "Not answered"
                              : snoozed ? "Put off" : "Answered", STR_ARG(since));
    db_reset(stmt);
    return ERR_OK;
}

/* An incomplete set is said, and drawn only where the least it can be is more than the set before:
 * a line never falls because something was not measured. */
static struct ui_html spark_of(struct ctx *cx, const struct obs_point *points, size_t count)
{
    double values[OBS_SPARK];
    size_t shown = 0, told = 0;
    struct buf out = buf_make(cx->arena, 8192), said = buf_make(cx->arena, 400);
    count = count > OBS_SPARK ? OBS_SPARK : count;
    buf_add(&said, S("NEWS2, last sets:"));
    for (size_t i = count; i > 0; i--) {
        const struct obs_point *p = &points[i - 1];
        if (p->excluded)
            continue;
        buf_printf(&said, "%s %s%d", told++ ? "," : "", p->complete ? "" : "at least ", p->total);
        if (p->complete || (shown && p->total > values[shown - 1]))
            values[shown++] = p->total;
    }
    if (shown < 2)
        return (struct ui_html){ S("") };
    ui_spark_draw(&out, &(struct ui_spark){ .values = values, .count = shown, .low = 0, .high = 4,
                                            .label = buf_str(&said) });
    return (struct ui_html){ buf_str(&out) };
}

static void put_due(struct ctx *cx, const struct obs_due *due, struct obs_row *out)
{
    int64_t late_min = (cx->now_ms - due->due_ms) / OBS_MINUTE_MS;
    if (due->excluded) {
        out->excluded = true;
        out->due = S("not on NEWS2");
        return;
    }
    out->none = due->none;
    out->incomplete = due->incomplete;
    out->overdue = cx->now_ms >= due->due_ms + OBS_MINUTE_MS;
    out->soon = !out->overdue && late_min > -SOON_MIN;
    out->due = due->none ? S("no set yet") : ui_clock(cx, due->due_ms);
    if (out->overdue)
        out->late = late_min < 120
            ? arena_printf(cx->arena, "overdue by %lld min", (long long)late_min)
            : arena_printf(cx->arena, "overdue by %lld h", (long long)((late_min + 30) / 60));
    if (due->response) {
        out->response = str_of(due->response->name);
        out->frequency = str_of(due->response->frequency);
        out->unconfirmed = !due->response->confirmed;
    }
}

static void put_score(struct ctx *cx, const struct obs_point *points, size_t count,
                      struct obs_row *out)
{
    static const enum ui_tone tones[OBS_RANKS] = { UI_LOW, UI_MEDIUM, UI_MEDIUM, UI_HIGH };
    const struct obs_point *last = count ? &points[0] : NULL;
    out->score = !last ? S("None") : last->excluded ? S("Not scored")
        : arena_printf(cx->arena, last->complete ? "%d%s" : "at least %d%s", last->total,
                       last->red ? ", a 3" : "");
    out->when = !last ? S("") : arena_printf(cx->arena, "%.*s, %.*s",
                                             STR_ARG(ui_clock(cx, last->at_ms)),
                                             STR_ARG(obs_age(cx, last->at_ms)));
    const struct news2_response *asked = obs_asked(points, count);
    out->tone = !last || last->excluded ? UI_PLAIN
                : last->complete && last->total == 0 ? UI_GOOD : tones[obs_rank(asked)];
    out->order = -(int64_t)obs_rank(asked);
}

err obs_row_read(struct ctx *cx, struct store *store, const struct obs_in_bed *in,
                 struct obs_row *out)
{
    struct obs_point points[OBS_SPARK * 2];
    struct store_version version;
    struct json body;
    size_t count;
    *out = (struct obs_row){ .patient = in->patient, .bed = in->bed_name };
    TRY(obs_read(cx, store, "Patient", in->patient, &version, &body));
    struct ui_patient who = ui_patient_of(cx, body);
    out->name = ui_patient_name(cx, &who);
    out->born = ui_patient_born(cx, &who);
    out->nhs = who.nhs_number.n ? ui_nhs_number(cx, who.nhs_number) : S("Not known");
    TRY(read_points(cx, in->patient, points, &count));
    put_score(cx, points, count, out);
    struct obs_due due = obs_due_of(points, count, in->admitted_ms);
    put_due(cx, &due, out);
    TRY(read_alert(cx, in->patient, out));
    out->spark = spark_of(cx, points, count);
    /* unanswered calls, then overdue by how ill, then by when they are due */
    out->order = (out->unanswered ? 0 : out->overdue ? 1 : 2) * (INT64_C(1) << 52) +
                 (out->overdue || out->unanswered ? out->order * (INT64_C(1) << 48) : 0) +
                 due.due_ms / 1000;
    return ERR_OK;
}

/* ---- a ward ---- */

static err who_lies_in(struct ctx *cx, struct obs_in_bed *bed, bool *found)
{
    struct db_stmt *stmt = db_use(cx, cx->db, obs_sql, OBS_SQL_STAY);
    db_bind_text(stmt, 1, bed->bed);
    TRY(db_step(cx, stmt, found));
    if (!*found)
        return ERR_OK;
    int64_t pid = db_int(stmt, 1);
    bed->patient = arena_copy(cx->arena, db_text(stmt, 0));
    bed->admitted_ms = instant_of(db_text(stmt, 2));
    *found = bed->patient.n > 0 && access_patient(cx->access, pid, pid);
    db_reset(stmt);
    return ERR_OK;
}

err obs_in_beds(struct ctx *cx, str ward, struct obs_in_bed *out, size_t *count)
{
    struct db_stmt *stmt = db_use(cx, cx->db, obs_sql, OBS_SQL_BEDS);
    size_t beds = 0;
    bool row, found;
    *count = 0;
    db_bind_text(stmt, 1, ward);
    for (;;) {
        TRY(db_step(cx, stmt, &row));
        if (!row || beds == OBS_WARD_MAX)
            break;
        out[beds++] = (struct obs_in_bed){ .bed = arena_copy(cx->arena, db_text(stmt, 0)),
                                           .bed_name = arena_copy(cx->arena, db_text(stmt, 1)) };
    }
    if (row)
        db_reset(stmt);
    for (size_t i = 0; i < beds; i++) {
        TRY(who_lies_in(cx, &out[i], &found));
        if (found)
            out[(*count)++] = out[i];
    }
    return ERR_OK;
}

static err ward_name(struct ctx *cx, str ward, str *out)
{
    struct db_stmt *stmt = db_use(cx, cx->db, obs_sql, OBS_SQL_PLACE);
    bool row;
    db_bind_text(stmt, 1, ward);
    TRY(db_step(cx, stmt, &row));
    if (!row)
        return ctx_failf(cx, ERR_NOT_FOUND, S(""), "there is no ward %.*s", STR_ARG(ward));
    *out = arena_copy(cx->arena, db_text(stmt, 0));
    db_reset(stmt);
    return ERR_OK;
}

static void sort_rows(struct obs_row *rows, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct obs_row row = rows[i];
        size_t at = i;
        for (; at > 0 && rows[at - 1].order > row.order; at--)
            rows[at] = rows[at - 1];
        rows[at] = row;
    }
}

static err read_board(struct ctx *cx, struct store *store, str ward, struct obs_board *board)
{
    struct obs_in_bed *beds = arena_array(cx->arena, OBS_WARD_MAX, sizeof *beds);
    struct obs_row *rows;
    size_t count;
    *board = (struct obs_board){ .ward = ward };
    TRY(ward_name(cx, ward, &board->name));
    TRY(obs_in_beds(cx, ward, beds, &count));
    rows = arena_array(cx->arena, count + 1, sizeof *rows);
    for (size_t i = 0; i < count; i++)
        if (obs_row_read(cx, store, &beds[i], &rows[board->rows_count]) == ERR_OK)
            board->rows_count++;
    sort_rows(rows, board->rows_count);
    for (size_t i = 0; i < board->rows_count; i++) {
        board->overdue += rows[i].overdue;
        board->soon += rows[i].soon;
        board->alerts += rows[i].unanswered;
    }
    board->rows = rows;
    return ERR_OK;
}

#define WARDS "obs/"
#define PATIENTS "obs-patient/"

static str patient_channel_of(struct ctx *cx, str patient)
{
    return arena_printf(cx->arena, PATIENTS "%.*s", STR_ARG(patient));
}

static str channel_of(struct ctx *cx, str ward)
{
    return arena_printf(cx->arena, WARDS "%.*s", STR_ARG(ward));
}

err obs_ward_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct obs_board board;
    str ward = request->captures[0];
    drawn_ms = clock_monotonic_ms();
    int64_t seq = store_seq(request->store);
    TRY(store_reader(cx, request->store));
    TRY(read_board(cx, request->store, ward, &board));
    struct ui_page page = ui_page_for(request, board.name.n ? board.name : ward);
    page.section = "/obs";
    page.islands = islands;
    page.islands_count = COUNT(islands);
    page.wide = true;
    page.back_href = S("/obs");
    page.back_text = S("All wards");
    if (feed_may_follow(cx, ward)) {
        page.live_seq = (uint64_t)seq;
        page.live_url = arena_printf(cx->arena, "/obs/live?ward=%.*s", STR_ARG(ward));
        live_expect(request->live, channel_of(cx, ward));
    }
    struct buf out = ui_page_buf(request);
    ui_page_open(&out, &page);
    obs_ward_board(&out, &board);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}

err obs_live_get(struct http_request *request, struct http_response *response)
{
    return feed_open(request, response, WARDS, PATIENTS);
}

/* ---- all wards ---- */

static err count_ward(struct ctx *cx, struct store *store, struct obs_ward_count *ward)
{
    struct obs_board board;
    TRY(read_board(cx, store, ward->id, &board));
    ward->patients = board.rows_count;
    ward->overdue = board.overdue;
    ward->soon = board.soon;
    ward->alerts = board.alerts;
    for (size_t i = 0; i < board.rows_count; i++)
        ward->high += board.rows[i].tone == UI_HIGH;
    return ERR_OK;
}

static err read_wards(struct ctx *cx, struct obs_ward_count **out, size_t *count)
{
    struct obs_ward_count *wards = arena_array(cx->arena, WARDS_MAX, sizeof *wards);
    bool row;
    struct db_stmt *stmt = db_use(cx, cx->db, obs_sql, OBS_SQL_WARDS);
    *count = 0;
    for (;;) {
        TRY(db_step(cx, stmt, &row));
        if (!row || *count == WARDS_MAX)
            break;
        wards[(*count)++] = (struct obs_ward_count){ .id = arena_copy(cx->arena, db_text(stmt, 0)),
                                                     .name = arena_copy(cx->arena,
                                                                        db_text(stmt, 1)) };
    }
    if (row)
        db_reset(stmt);
    *out = wards;
    return ERR_OK;
}

err obs_wards_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct obs_ward_count *wards;
    size_t count;
    TRY(store_reader(cx, request->store));
    TRY(read_wards(cx, &wards, &count));
    for (size_t i = 0; i < count; i++)
        TRY(count_ward(cx, request->store, &wards[i]));
    struct ui_page page = ui_page_for(request, S("Observations"));
    page.section = "/obs";
    page.islands = islands;
    page.islands_count = COUNT(islands);
    struct buf out = ui_page_buf(request);
    ui_page_open(&out, &page);
    obs_ward_all(&out, wards, count, cx->access && !cx->access->any_patient);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}

/* ---- the first page of who works here ---- */

static int most_overdue(const void *a, const void *b)
{
    const struct obs_ward_count *x = a, *y = b;
    if (x->overdue != y->overdue)
        return x->overdue < y->overdue ? 1 : -1;
    return x->soon != y->soon ? (x->soon < y->soon ? 1 : -1) : str_cmp(x->name, y->name);
}

err obs_home_fill(struct ui_home *home)
{
    struct ctx *cx = home->request->cx;
    struct obs_ward_count *wards;
    size_t count;
    if (!cx->user || !role_permits(cx->user->asker.role, S("obs.read")))
        return ERR_OK;
    TRY(obs_calls_home(home));
    struct ui_home_card *card = ui_home_add(home, "overdue", "Observations due",
                                            "No set is overdue, and none is due soon.");
    card->all_href = S("/obs");
    card->all_text = S("All wards");
    TRY(read_wards(cx, &wards, &count));
    for (size_t i = 0; i < count; i++)
        TRY(count_ward(cx, home->request->store, &wards[i]));
    qsort(wards, count, sizeof *wards, most_overdue);
    for (size_t i = 0; i < count; i++) {
        struct ui_home_line *line = wards[i].overdue || wards[i].soon ? ui_home_line(card) : NULL;
        if (line)
            *line = (struct ui_home_line){
                .text = wards[i].name, .tone = UI_MEDIUM,
                .href = arena_printf(cx->arena, "/obs/ward/%.*s", STR_ARG(wards[i].id)),
                .chip = wards[i].overdue ? arena_printf(cx->arena, "%zu overdue", wards[i].overdue)
                                         : S(""),
                .more = wards[i].soon ? arena_printf(cx->arena, "%zu due soon", wards[i].soon)
                                      : S(""),
            };
    }
    return ERR_OK;
}

/* ---- what changed ---- */

/* The ward of a patient's bed now; not given: none, or it cannot be read. */
static str ward_of(struct ctx *cx, struct store *store, str patient, struct obs_in_bed *in)
{
    struct obs_person person;
    if (obs_person_read(cx, store, patient, &person) != ERR_OK || !person.ward.n)
        return (str){ 0 };
    struct obs_in_bed *beds = arena_array(cx->arena, OBS_WARD_MAX, sizeof *beds);
    size_t count;
    if (obs_in_beds(cx, person.ward, beds, &count) != ERR_OK)
        return (str){ 0 };
    for (size_t i = 0; i < count; i++)
        if (str_eq(beds[i].patient, patient)) {
            *in = beds[i];
            return person.ward;
        }
    return (str){ 0 };
}

/* The calls on the patient's own page. */
static void tell_page(struct ctx *cx, struct store *store, struct live *live, str patient,
                      int64_t seq)
{
    struct obs_now now;
    struct buf html = buf_make(cx->arena, LIVE_EVENT_BYTES);
    str channel = patient_channel_of(cx, patient);
    if (!live_watched(live, channel)) {
        live_publish_missed(live, channel, seq);
        return;
    }
    if (obs_now_read(cx, store, patient, &now) != ERR_OK)
        return;
    obs_chart_now(&html, &now);
    live_publish(live, channel, seq, buf_str(&html));
}

static void tell(struct ctx *cx, struct store *store, struct live *live, str patient, int64_t seq)
{
    struct obs_in_bed in;
    struct obs_row row;
    str ward = ward_of(cx, store, patient, &in);
    if (!ward.n)
        return;
    str channel = channel_of(cx, ward);
    if (!live_watched(live, channel)) {
        live_publish_missed(live, channel, seq);
        return;
    }
    struct buf html = buf_make(cx->arena, LIVE_EVENT_BYTES);
    if (obs_row_read(cx, store, &in, &row) != ERR_OK)
        return;
    obs_ward_row(&html, &row);
    live_publish(live, channel, seq, buf_str(&html));
}

/* The patient of a version that changes a row, else not given. */
static str patient_of(struct ctx *cx, const struct store_version *version)
{
    str type = fhir_resource_name(version->resource);
    struct json body;
    bool task = str_eq(type, S("Task"));
    if ((!task && !str_eq(type, S("Observation"))) || !version->body.n ||
        json_parse(cx, version->body, &body) != ERR_OK)
        return (str){ 0 };
    bool concerns = task ? obs_is_alert(body)
                         : obs_has_code(json_get(body, S("code")), OBS_SNOMED, OBS_SCORE);
    return concerns ? obs_reference(cx, json_get(body, task ? S("for") : S("subject")), "Patient")
                    : (str){ 0 };
}

static void changed(struct ctx *cx, struct store *store, struct live *live,
                    const struct store_versions *versions, int64_t seq)
{
    bool looked = drawn_ms && clock_monotonic_ms() - drawn_ms < EXPECT_MS;
    if (!versions || (live_streams(live) == 0 && !looked))
        return; /* what is drawn from now on shows all of it */
    for (size_t i = 0; i < versions->count; i++) {
        str patient = patient_of(cx, &versions->list[i]);
        if (patient.n) {
            tell_page(cx, store, live, patient, seq);
            tell(cx, store, live, patient, seq);
        }
    }
}

const struct feed_view obs_feed = { changed };
