/* SPDX-License-Identifier: Apache-2.0 */
#include "http/text.h"
#include "json/write.h"
#include "systems/beds/board.h"
#include "systems/beds/edit.h"
#include "systems/beds/requests.h"
#include "systems/beds/sql.h"
#include "ui/page.h"

enum { JSON_BYTES = 16 << 20 };

/* ---- who waits ---- */

static void write_asked(struct ctx *cx, struct json_writer *w, const struct beds_asked *asked)
{
    static const char *const isolation[] = { "not-assessed", "none", "needed" };
    int64_t waited = beds_waited_min(asked, cx->now_ms);
    bool ed = asked->source == BEDS_FROM_ED;
    json_open(w, '{');
    json_put_str(w, "request", asked->id);
    json_put_str(w, "patient", asked->patient);
    json_put_str(w, "name_shown", str_of(asked->who.name));
    json_put_str(w, "nhs_number", str_of(asked->who.nhs));
    json_put_str(w, "source", str_of(beds_sources[asked->source].code));
    json_put_str(w, "priority", str_of(beds_priorities[asked->priority].code));
    json_put_str(w, "specialty", asked->specialty);
    json_put_str(w, "isolation", str_of(isolation[asked->wanted.isolation]));
    json_put_str(w, "clock", beds_when(cx, beds_clock_ms(asked)));
    json_put_u64(w, "waited_minutes", (uint64_t)waited);
    json_put_bool(w, "amber", ed && waited >= BEDS_WAIT_AMBER_MIN);
    json_put_bool(w, "breach", ed && waited >= BEDS_WAIT_BREACH_MIN);
    if (asked->kept_bed.n) {
        json_put_str(w, "kept_bed", asked->kept_bed);
        json_put_str(w, "kept_stay", asked->kept_stay);
    }
    json_close(w, '}');
}

err beds_requests_json_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct beds_asked *list;
    size_t count;
    TRY(store_reader(cx, request->store));
    TRY(beds_asked_list(cx, &list, &count));
    struct buf buf = buf_make(cx->arena, JSON_BYTES);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_key(&w, "requests");
    json_open(&w, '[');
    for (size_t i = 0; i < count; i++)
        write_asked(cx, &w, &list[i]);
    json_close(&w, ']');
    json_close(&w, '}');
    return beds_send_json(response, &buf);
}

/* ---- which bed ---- */

static err read_wanted(struct http_request *request, struct beds_request *out)
{
    str id = http_query_value(request->cx->arena, request->query, S("request"));
    struct beds_asked asked;
    if (!id.n)
        return beds_wanted_read(request, out);
    TRY(beds_asked_read(request->cx, id, &asked));
    *out = asked.wanted;
    return ERR_OK;
}

static void write_reasons(struct json_writer *w, const struct beds_suggestion *judged)
{
    json_key(w, "reasons");
    json_open(w, '[');
    for (size_t i = 0; i < judged->reasons_count; i++) {
        const struct beds_refusal_kind *kind = &beds_refusals[judged->reasons[i]];
        json_open(w, '{');
        json_put_str(w, "rule", str_of(kind->code));
        json_put_str(w, "text", str_of(kind->text));
        json_put_bool(w, "hard", kind->hard);
        if (kind->hard)
            json_put_str(w, "overridden_by", kind->overridden_by
                             ? str_of(kind->overridden_by->title) : S("nobody"));
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void write_judged(struct json_writer *w, const struct beds_picture *picture, int32_t spot,
                         const struct beds_suggestion *judged)
{
    const struct beds_spot *bed = &picture->spots[spot];
    json_open(w, '{');
    json_put_str(w, "bed", str_of(bed->id));
    json_put_str(w, "ward", bed->ward == BEDS_NONE ? S("") : str_of(picture->spots[bed->ward].id));
    json_put_bool(w, "suits", judged->hard_count == 0);
    json_key(w, "score");
    json_raw(w, arena_printf(w->buf->arena, "%d", judged->score));
    write_reasons(w, judged);
    json_close(w, '}');
}

err beds_suggest_json_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct beds_picture *picture;
    struct beds_request wanted;
    size_t count = 0;
    TRY(beds_picture_whole(cx, request->store, BEDS_PEOPLE, &picture));
    TRY(read_wanted(request, &wanted));
    int32_t *spots = arena_array(cx->arena, picture->spots_count + 1, sizeof *spots);
    struct beds_bed *beds = arena_array(cx->arena, picture->spots_count + 1, sizeof *beds);
    struct beds_suggestion *order = arena_array(cx->arena, picture->spots_count + 1, sizeof *order);
    for (size_t i = 0; i < picture->spots_count; i++) {
        if (strcmp(picture->spots[i].kind, "bd") != 0)
            continue;
        spots[count] = (int32_t)i;
        beds[count] = beds_bed_at(picture, (int32_t)i);
        beds[count++].state = beds_state_at(picture, (int32_t)i, cx->now_ms);
    }
    beds_suggest(&wanted, beds, count, order);
    struct buf buf = buf_make(cx->arena, JSON_BYTES);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_key(&w, "beds");
    json_open(&w, '[');
    for (size_t i = 0; i < count; i++)
        write_judged(&w, picture, spots[order[i].bed], &order[i]);
    json_close(&w, ']');
    json_close(&w, '}');
    return beds_send_json(response, &buf);
}

/* ---- what went wrong ---- */

err beds_exceptions_json_get(struct http_request *request, struct http_response *response)
{
    static const char *const names[] = { "task", "encounter", "what", "at" };
    struct ctx *cx = request->cx;
    TRY(store_reader(cx, request->store));
    struct db_stmt *row = db_use(cx, cx->db, beds_sql, BEDS_SQL_EXCEPTIONS);
    struct buf buf = buf_make(cx->arena, JSON_BYTES);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_key(&w, "exceptions");
    json_open(&w, '[');
    for (bool more = true;;) {
        TRY(db_step(cx, row, &more));
        if (!more)
            break;
        json_open(&w, '{');
        for (size_t i = 0; i < COUNT(names); i++)
            json_put_str(&w, names[i], db_text(row, (int)i));
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_close(&w, '}');
    return beds_send_json(response, &buf);
}

/* ---- who lies on another specialty's ward ---- */

static void write_outlier(struct json_writer *w, const struct beds_picture *picture,
                          const struct beds_stay *stay)
{
    const struct beds_spot *bed = &picture->spots[stay->bed], *ward = &picture->spots[bed->ward];
    json_open(w, '{');
    json_put_str(w, "encounter", str_of(stay->id));
    json_put_str(w, "patient", str_of(stay->patient));
    json_put_str(w, "bed", str_of(bed->id));
    json_put_str(w, "ward", str_of(ward->id));
    json_put_str(w, "specialty", str_of(stay->specialty));
    json_put_str(w, "ward_specialty", str_of(ward->specialty));
    json_close(w, '}');
}

err beds_outliers_json_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct beds_picture *picture;
    TRY(beds_picture_whole(cx, request->store, BEDS_PLACES, &picture));
    struct buf buf = buf_make(cx->arena, JSON_BYTES);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_key(&w, "outliers");
    json_open(&w, '[');
    for (size_t i = 0; i < picture->stays_count; i++)
        if (beds_is_outlier(picture, &picture->stays[i]))
            write_outlier(&w, picture, &picture->stays[i]);
    json_close(&w, ']');
    json_close(&w, '}');
    return beds_send_json(response, &buf);
}
