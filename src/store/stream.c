/* SPDX-License-Identifier: Apache-2.0 */
#include "store/posting.h"
#include "store/posting_sql.h"

/*
 * Streams read a chunk of hits, reset the statement and seek again for the next: the same prepared
 * statement serves any number of streams, and the chunk grows while a stream is being drained.
 */
enum { CHUNK_FIRST = 64, CHUNK_MOST = 4096 };

struct stream stream_of_hits(struct hits hits, enum hit_order order, const struct hit *after)
{
    struct stream stream = { .kind = STREAM_HITS, .order = order, .buffer = hits };
    while (after && stream.next < hits.count &&
           hit_compare(order, &hits.list[stream.next], after) <= 0)
        stream.next++;
    return stream;
}

static void start_after(struct stream *stream, const struct hit *after)
{
    stream->chunk = CHUNK_FIRST;
    stream->at_min = INT64_MIN;
    stream->at_max = INT64_MAX;
    stream->started = after != NULL;
    if (after) {
        stream->last = *after;
        stream->undated = after->at == AT_NONE && stream->order == ORDER_AT;
    }
}

struct stream stream_of_posting(const struct posting *posting, enum hit_order order,
                                const struct hit *after)
{
    struct stream stream = { .kind = posting->kind == POSTING_DAY ? STREAM_DAYS : STREAM_POSTING,
                             .order = order, .posting = *posting };
    start_after(&stream, after);
    return stream;
}

struct stream stream_of_type(uint16_t resource, const struct hit *after)
{
    struct stream stream = { .kind = STREAM_TYPE, .order = ORDER_RID, .resource = resource };
    start_after(&stream, after);
    return stream;
}

struct stream stream_of_merge(struct stream *parts, size_t count, enum hit_order order)
{
    return (struct stream){ .kind = STREAM_MERGE, .order = order, .parts = parts,
                            .parts_count = count };
}

/* The key to seek past: the last hit read, or the end the stream starts from. */
static struct hit seek_key(const struct stream *stream)
{
    if (stream->order == ORDER_AT_DESC) {
        struct hit top = { stream->at_max, INT64_MAX, 0 };
        bool inside = stream->started && hit_compare(ORDER_AT_DESC, &stream->last, &top) > 0;
        return inside ? stream->last : top;
    }
    if (stream->undated)
        return (struct hit){ AT_NONE, stream->started && stream->last.at == AT_NONE
                                          ? stream->last.rid : -1, 0 };
    struct hit bottom = { stream->at_min, stream->at_min == INT64_MIN ? INT64_MAX : -1, 0 };
    bool inside = stream->started && stream->last.at != AT_NONE &&
                  (stream->last.at > bottom.at ||
                   (stream->last.at == bottom.at && stream->last.rid > bottom.rid));
    return inside ? stream->last : bottom;
}

static struct db_stmt *open_chunk(struct ctx *cx, const struct stream *stream)
{
    bool down = stream->order == ORDER_AT_DESC;
    const struct posting *p = &stream->posting;
    size_t which = p->kind == POSTING_TOK   ? (down ? TOK_NEXT_DESC : TOK_NEXT)
                   : p->kind == POSTING_REF ? (down ? REF_NEXT_DESC : REF_NEXT)
                   : p->kind == POSTING_ONE ? (down ? TXT_NEXT_DESC : TXT_NEXT)
                                            : (down ? DAY_NEXT_DESC : DAY_NEXT);
    struct db_stmt *stmt = db_use(cx, cx->db, posting_sql, which);
    struct hit key = seek_key(stream);
    db_bind_int(stmt, 1, p->slot);
    if (p->kind == POSTING_ONE)
        db_bind_text(stmt, 2, p->from);
    else
        db_bind_int(stmt, 2, p->kind == POSTING_DAY ? p->span : p->value);
    db_bind_int(stmt, 3, key.at);
    db_bind_int(stmt, 4, key.rid);
    db_bind_int(stmt, 5, (int64_t)stream->chunk);
    if (p->kind == POSTING_DAY) /* prefix GE: what ended before is passed over in one step */
        db_bind_int(stmt, 6, p->asked.lo);
    return stmt;
}

static bool out_of_bounds(const struct stream *stream, int64_t at)
{
    if (stream->undated)
        return at != AT_NONE;
    if (stream->order == ORDER_AT_DESC)
        return at < stream->at_min;
    return at > stream->at_max;
}

/* Reads rows into the buffer; *ended when the range is used up. */
static err read_chunk(struct ctx *cx, struct stream *stream, struct db_stmt *stmt, bool *ended)
{
    bool days = stream->posting.kind == POSTING_DAY;
    size_t rows = 0;
    *ended = false;
    for (bool row = true;; rows++) {
        TRY(db_step(cx, stmt, &row));
        if (!row) {
            *ended = rows < stream->chunk;
            return ERR_OK;
        }
        struct hit hit = { db_int(stmt, 0), db_int(stmt, 1), db_int(stmt, 2) };
        if (out_of_bounds(stream, days ? db_int(stmt, 3) : hit.at)) {
            *ended = true;
            db_reset(stmt);
            return ERR_OK;
        }
        stream->last = hit;
        if (days)
            stream->last.at = db_int(stmt, 3);
        if (posting_row_counts(cx, &stream->posting, stmt))
            hits_add(cx, &stream->buffer, hit);
    }
}

static err refill_range(struct ctx *cx, struct stream *stream)
{
    bool ended;
    TRY(read_chunk(cx, stream, open_chunk(cx, stream), &ended));
    stream->started = true;
    if (!ended)
        return ERR_OK;
    bool unbounded = stream->at_min == INT64_MIN && stream->at_max == INT64_MAX;
    if (stream->order == ORDER_AT && !stream->undated && unbounded &&
        stream->posting.kind != POSTING_DAY)
        stream->undated = true; /* those without a date come last */
    else
        stream->ended = true;
    return ERR_OK;
}

static err refill_type(struct ctx *cx, struct stream *stream)
{
    bool down = stream->undated && stream->order == ORDER_AT_DESC;
    struct db_stmt *stmt = db_use(cx, cx->db, posting_sql, down ? TYPE_UNDATED_DESC
                                  : stream->undated ? TYPE_UNDATED : TYPE_NEXT);
    int64_t first = store_rid(stream->resource, 0), last = first;
    int64_t end = store_rid((uint16_t)(stream->resource + 1), 0);
    if (stream->started && stream->last.rid > first && stream->last.rid < end)
        last = stream->last.rid;
    else
        last = down ? end : first;
    db_bind_int(stmt, 1, down ? first : last);
    db_bind_int(stmt, 2, down ? last : end);
    db_bind_int(stmt, 3, (int64_t)stream->chunk);
    size_t rows = 0;
    for (bool row = true; row;) {
        TRY(db_step(cx, stmt, &row));
        if (!row)
            break;
        rows++;
        stream->last = (struct hit){ db_int(stmt, 0), db_int(stmt, 1), db_int(stmt, 2) };
        hits_add(cx, &stream->buffer, stream->last);
    }
    stream->started = true;
    stream->ended = rows < stream->chunk;
    return ERR_OK;
}

static err refill(struct ctx *cx, struct stream *stream)
{
    while (stream->next == stream->buffer.count && !stream->ended) {
        stream->next = stream->buffer.count = 0;
        if (stream->kind == STREAM_HITS)
            stream->ended = true;
        else if (stream->kind == STREAM_INDEX)
            TRY(stream_refill_index(cx, stream));
        else if (stream->kind == STREAM_TYPE)
            TRY(refill_type(cx, stream));
        else
            TRY(refill_range(cx, stream));
        if (stream->chunk < CHUNK_MOST)
            stream->chunk *= 4;
        TRY(ctx_late(cx));
    }
    return ERR_OK;
}

static bool is_before(const struct stream *stream, size_t a, size_t b)
{
    const struct stream *x = &stream->parts[a], *y = &stream->parts[b];
    return hit_compare(stream->order, &x->buffer.list[x->next], &y->buffer.list[y->next]) < 0;
}

static void swap_parts(struct stream *stream, size_t a, size_t b)
{
    struct stream part = stream->parts[a];
    stream->parts[a] = stream->parts[b];
    stream->parts[b] = part;
}

/* Lets a part sink to where both parts under it have later hits. */
static void sink(struct stream *stream, size_t at)
{
    for (size_t least = at;; at = least) {
        for (size_t under = 2 * at + 1; under <= 2 * at + 2; under++)
            if (under < stream->heap_count && is_before(stream, under, least))
                least = under;
        if (least == at)
            return;
        swap_parts(stream, at, least);
    }
}

/* The parts of one kind that have hits, each with its next in its buffer. */
static err make_heap(struct ctx *cx, struct stream *stream, bool types)
{
    stream->heap_count = 0;
    for (size_t i = 0; i < stream->parts_count; i++) {
        struct stream *part = &stream->parts[i];
        if ((part->kind == STREAM_TYPE) != types)
            continue;
        TRY(refill(cx, part));
        if (part->next < part->buffer.count)
            swap_parts(stream, stream->heap_count++, i);
    }
    for (size_t i = stream->heap_count / 2; i-- > 0;)
        sink(stream, i);
    return ERR_OK;
}

static err take_first(struct ctx *cx, struct stream *stream, struct hit *out)
{
    struct stream *first = &stream->parts[0];
    *out = first->buffer.list[first->next++];
    TRY(refill(cx, first));
    if (first->next == first->buffer.count)
        swap_parts(stream, 0, --stream->heap_count);
    sink(stream, 0);
    return ERR_OK;
}

/* The undated of a type come last and are looked for last: among a million with dates that takes a
 * while. */
static err merge_next(struct ctx *cx, struct stream *stream, struct hit *out, bool *any)
{
    for (;;) {
        if (!stream->heaped)
            TRY(make_heap(cx, stream, false));
        stream->heaped = true;
        if (!stream->heap_count && !stream->undated) {
            stream->undated = true;
            TRY(make_heap(cx, stream, true));
        }
        *any = stream->heap_count > 0;
        if (!*any)
            return ERR_OK;
        TRY(take_first(cx, stream, out));
        if (stream->started && stream->last.rid == out->rid)
            continue; /* the same resource in another part */
        stream->started = true;
        stream->last = *out;
        return ERR_OK;
    }
}

err stream_next(struct ctx *cx, struct stream *stream, struct hit *out, bool *any)
{
    if (stream->kind == STREAM_MERGE)
        return merge_next(cx, stream, out, any);
    TRY(refill(cx, stream));
    *any = stream->next < stream->buffer.count;
    if (*any) {
        if (stream->kind == STREAM_INDEX)
            stream->given = stream->keys[stream->next];
        *out = stream->buffer.list[stream->next++];
    }
    return ERR_OK;
}
