/* SPDX-License-Identifier: Apache-2.0 */
#include "store/posting.h"
#include "store/posting_sql.h"
#include <stdlib.h>

/*
 * Number and date ranges read where they lie: a page costs what it holds, not what the range holds.
 */
static int by_int(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

int index_key_compare(const struct index_key *a, const struct index_key *b)
{
    int order = by_int(a->slot, b->slot);
    order = order ? order : by_int(a->by, b->by);
    order = order ? order : by_int(a->unit, b->unit);
    order = order ? order : (a->value > b->value) - (a->value < b->value);
    order = order ? order : by_int(a->at, b->at);
    return order ? order : by_int(a->rid, b->rid);
}

static struct index_key first_key(const struct posting *p)
{
    if (p->kind == POSTING_DAY)
        return (struct index_key){ .slot = p->slot, .by = p->span, .unit = p->lo_min - 1,
                                   .at = INT64_MAX, .rid = INT64_MAX };
    return (struct index_key){ .slot = p->slot, .by = p->value, .unit = p->unit,
                               .value = p->least, .at = INT64_MIN, .rid = -1 };
}

static int compare_postings(const void *a, const void *b)
{
    const struct index_key x = first_key(a), y = first_key(b);
    return index_key_compare(&x, &y);
}

static bool overlaps(const struct posting *a, const struct posting *b)
{
    return a->kind == POSTING_NUM && b->kind == POSTING_NUM && a->slot == b->slot &&
           a->value == b->value && a->unit == b->unit && b->least <= a->most;
}

size_t posting_sort(struct posting *postings, size_t count)
{
    size_t kept = count > 0;
    if (count > 1)
        qsort(postings, count, sizeof *postings, compare_postings);
    for (size_t i = 1; i < count; i++) {
        struct posting *last = &postings[kept - 1];
        if (!overlaps(last, &postings[i]))
            postings[kept++] = postings[i];
        else if (postings[i].most > last->most)
            last->most = postings[i].most;
    }
    return kept;
}

/* Is the whole posting before the key? */
static bool is_before(const struct posting *p, const struct index_key *key)
{
    struct index_key last = first_key(p);
    last.at = last.rid = INT64_MAX;
    if (p->kind == POSTING_DAY)
        last.unit = p->lo_max;
    else
        last.value = p->most;
    return index_key_compare(&last, key) < 0;
}

struct stream stream_of_index(const struct posting *postings, size_t count,
                              const struct index_key *after)
{
    struct stream stream = { .kind = STREAM_INDEX, .order = ORDER_INDEX, .chunk = 64,
                             .postings = postings, .postings_count = count };
    if (!after)
        return stream;
    while (stream.postings_at < count && is_before(&postings[stream.postings_at], after))
        stream.postings_at++;
    stream.key = *after;
    stream.inside = true;
    return stream;
}

static struct db_stmt *open_after(struct ctx *cx, const struct stream *stream,
                                  const struct posting *p)
{
    struct index_key key = first_key(p);
    if (stream->inside && index_key_compare(&key, &stream->key) < 0)
        key = stream->key;
    bool day = p->kind == POSTING_DAY;
    struct db_stmt *stmt = db_use(cx, cx->db, posting_sql, day ? DAY_AFTER : NUM_AFTER);
    db_bind_int(stmt, 1, p->slot);
    db_bind_int(stmt, 2, day ? p->span : p->value);
    if (day) {
        db_bind_int(stmt, 3, p->lo_max);
        db_bind_int(stmt, 4, key.unit);
        db_bind_int(stmt, 5, key.rid);
        db_bind_int(stmt, 6, key.at);
        db_bind_int(stmt, 7, (int64_t)stream->chunk);
        return stmt;
    }
    db_bind_int(stmt, 3, p->unit);
    db_bind_real(stmt, 4, p->most);
    db_bind_real(stmt, 5, key.value);
    db_bind_int(stmt, 6, key.at);
    db_bind_int(stmt, 7, key.rid);
    db_bind_int(stmt, 8, (int64_t)stream->chunk);
    return stmt;
}

static struct index_key key_of(const struct posting *p, struct db_stmt *stmt)
{
    struct index_key key = { .slot = p->slot, .by = p->value, .unit = p->unit,
                             .at = db_int(stmt, 0), .rid = db_int(stmt, 1) };
    if (p->kind == POSTING_NUM) {
        key.value = db_real(stmt, 3);
        return key;
    }
    key.by = p->span;
    key.unit = db_int(stmt, 3);
    key.at = db_int(stmt, 4);
    return key;
}

/* One chunk of the current posting; goes on to the next posting when it is used up. */
err stream_refill_index(struct ctx *cx, struct stream *stream)
{
    if (stream->postings_at == stream->postings_count) {
        stream->ended = true;
        return ERR_OK;
    }
    const struct posting *p = &stream->postings[stream->postings_at];
    struct db_stmt *stmt = open_after(cx, stream, p);
    size_t rows = 0;
    for (bool row = true;; rows++) {
        TRY(db_step(cx, stmt, &row));
        if (!row)
            break;
        struct hit hit = { db_int(stmt, 0), db_int(stmt, 1), db_int(stmt, 2) };
        stream->key = key_of(p, stmt);
        if (p->kind == POSTING_DAY && !span_matches(p->prefix, p->asked,
                                                    index_at_lo(db_int(stmt, 3)),
                                                    db_int(stmt, 4), cx->now_ms))
            continue;
        stream->keys = arena_grow(cx->arena, stream->keys, stream->buffer.count,
                                  &stream->keys_cap, sizeof *stream->keys);
        stream->keys[stream->buffer.count] = stream->key;
        hits_add(cx, &stream->buffer, hit);
    }
    stream->inside = true;
    if (rows < stream->chunk) {
        stream->postings_at++;
        stream->inside = false;
    }
    return ERR_OK;
}
