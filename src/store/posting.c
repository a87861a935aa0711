/* SPDX-License-Identifier: Apache-2.0 */
#include "store/posting.h"
#include "store/posting_sql.h"
#include <stdlib.h>

static int64_t asc_key(int64_t at)
{
    return at == AT_NONE ? INT64_MAX : at; /* undated last */
}

int hit_compare(enum hit_order order, const struct hit *a, const struct hit *b)
{
    int by_rid = (a->rid > b->rid) - (a->rid < b->rid);
    if (order == ORDER_RID || order == ORDER_INDEX || a->at == b->at)
        return order == ORDER_AT_DESC ? -by_rid : by_rid;
    if (order == ORDER_AT_DESC)
        return a->at > b->at ? -1 : 1;
    return asc_key(a->at) < asc_key(b->at) ? -1 : 1;
}

static int compare_at(const void *a, const void *b)
{
    return hit_compare(ORDER_AT, a, b);
}

static int compare_at_desc(const void *a, const void *b)
{
    return hit_compare(ORDER_AT_DESC, a, b);
}

static int compare_rid(const void *a, const void *b)
{
    return hit_compare(ORDER_RID, a, b);
}

static int (*const comparers[])(const void *, const void *) = { compare_at, compare_at_desc,
                                                                compare_rid, compare_rid };

void hits_add(struct ctx *cx, struct hits *hits, struct hit hit)
{
    hits->list = arena_grow(cx->arena, hits->list, hits->count, &hits->cap, sizeof hit);
    hits->list[hits->count++] = hit;
}

void hits_sort(struct hits *hits, enum hit_order order)
{
    if (!hits->count)
        return;
    bool sorted = true;
    for (size_t i = 1; i < hits->count && sorted; i++)
        sorted = hit_compare(order, &hits->list[i - 1], &hits->list[i]) <= 0;
    if (!sorted)
        qsort(hits->list, hits->count, sizeof *hits->list, comparers[order]);
    size_t kept = 1;
    for (size_t i = 1; i < hits->count; i++)
        if (hits->list[i].rid != hits->list[kept - 1].rid)
            hits->list[kept++] = hits->list[i];
    hits->count = kept;
}

/* The first place in a sorted list whose hit is not before `hit`. */
static size_t lower_bound(const struct hits *hits, enum hit_order order, const struct hit *hit)
{
    size_t low = 0, high = hits->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (hit_compare(order, &hits->list[middle], hit) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool hits_have(const struct hits *hits, enum hit_order order, const struct hit *hit)
{
    size_t at = lower_bound(hits, order, hit);
    return at < hits->count && hits->list[at].rid == hit->rid;
}

bool span_matches(enum query_prefix prefix, struct value_span asked, int64_t lo, int64_t hi,
                  int64_t now_ms)
{
    switch (prefix) {
    case PREFIX_EQ: return lo >= asked.lo && hi <= asked.hi;
    case PREFIX_NE: return !(lo >= asked.lo && hi <= asked.hi);
    case PREFIX_GT: return hi > asked.hi;
    case PREFIX_LT: return lo < asked.lo;
    case PREFIX_GE: return hi >= asked.lo;
    case PREFIX_LE: return lo <= asked.hi;
    case PREFIX_SA: return lo > asked.hi;
    case PREFIX_EB: return hi < asked.lo;
    case PREFIX_PO: return hi >= asked.lo && lo <= asked.hi;
    case PREFIX_AP: break;
    }
    /* Approximate: overlaps the asked span widened by a tenth of its distance from now (R4). */
    int64_t far = asked.lo > now_ms ? asked.lo - now_ms : now_ms - asked.hi;
    int64_t slack = far > 0 ? far / 10 : 0;
    return hi >= asked.lo - slack && lo <= asked.hi + slack;
}

/* Which statement reads a posting's rows as at, rid, pid; bound. */
static struct db_stmt *open_rows(struct ctx *cx, const struct posting *p)
{
    static const size_t slots[INDEX_TABLES] = { TOK_SLOT, REF_SLOT, TXT_SLOT, DAY_SLOT, NUM_SLOT };
    static const size_t by_kind[] = { TOK_ALL, REF_ALL, TXT_ONE, TXT_RANGE, DAY_RANGE, NUM_RANGE, 0,
                                      RID_ONE, WORDS_IN, SEQ_RANGE };
    size_t which = p->kind == POSTING_SLOT ? slots[p->table] : by_kind[p->kind];
    if (p->kind == POSTING_TXT && !str_given(p->to))
        which = TXT_FROM;
    struct db_stmt *stmt = db_use(cx, cx->db, posting_sql, which);
    bool by_value = p->kind == POSTING_RID || p->kind == POSTING_SEQ;
    if (p->kind != POSTING_WORDS)
        db_bind_int(stmt, 1, by_value ? p->value : p->slot);
    switch (p->kind) {
    case POSTING_WORDS:
        db_bind_text(stmt, 1, p->from);
        db_bind_int(stmt, 2, store_rid((uint16_t)p->value, 0));
        db_bind_int(stmt, 3, store_rid((uint16_t)(p->value + 1), 0) - 1);
        break;
    case POSTING_TOK:
    case POSTING_REF: db_bind_int(stmt, 2, p->value); break;
    case POSTING_ONE: db_bind_text(stmt, 2, p->from); break;
    case POSTING_TXT:
        db_bind_text(stmt, 2, p->from);
        if (str_given(p->to))
            db_bind_text(stmt, 3, p->to);
        break;
    case POSTING_DAY:
        db_bind_int(stmt, 2, p->span);
        db_bind_int(stmt, 3, p->lo_min);
        db_bind_int(stmt, 4, p->lo_max);
        break;
    case POSTING_NUM:
        db_bind_int(stmt, 2, p->value);
        db_bind_int(stmt, 3, p->unit);
        db_bind_real(stmt, 4, p->least);
        db_bind_real(stmt, 5, p->most);
        break;
    case POSTING_SLOT:
        if (p->table == INDEX_REF) {
            db_bind_int(stmt, 2, p->value < 0 ? 0 : store_rid((uint16_t)p->value, 0));
            db_bind_int(stmt, 3, p->value < 0 ? INT64_MAX
                                              : store_rid((uint16_t)(p->value + 1), 0) - 1);
        }
        break;
    case POSTING_SEQ:
        db_bind_int(stmt, 2, p->lo_min);
        db_bind_int(stmt, 3, p->lo_max);
        break;
    case POSTING_RID: break;
    }
    return stmt;
}

bool posting_row_counts(struct ctx *cx, const struct posting *p, struct db_stmt *stmt)
{
    if (p->kind == POSTING_DAY)
        return span_matches(p->prefix, p->asked, index_at_lo(db_int(stmt, 3)), db_int(stmt, 4),
                            cx->now_ms);
    if (p->kind != POSTING_TXT && p->kind != POSTING_ONE)
        return true;
    if (str_given(p->exact))
        return str_eq(db_text(stmt, 4), p->exact);
    return !str_given(p->contains) || str_find(db_text(stmt, 3), p->contains) != STR_NONE;
}

struct marks marks_make(struct arena *arena, int64_t first, int64_t end)
{
    size_t count = (size_t)(end - first);
    return (struct marks){ first, arena_array(arena, count / 64 + 1, sizeof(uint64_t)), count };
}

bool marks_have(const struct marks *marks, int64_t rid)
{
    size_t at = (size_t)(rid - marks->first);
    return rid >= marks->first && at < marks->count && marks->bits[at / 64] >> at % 64 & 1;
}

static void mark(struct marks *marks, int64_t rid)
{
    size_t at = (size_t)(rid - marks->first);
    if (rid >= marks->first && at < marks->count)
        marks->bits[at / 64] |= (uint64_t)1 << at % 64;
}

err posting_mark(struct ctx *cx, const struct posting *posting, struct marks *out, int64_t *left)
{
    struct db_stmt *stmt = open_rows(cx, posting);
    for (bool row = true; *left >= 0; --*left) {
        TRY(db_step(cx, stmt, &row));
        if (!row)
            return ERR_OK;
        if (posting_row_counts(cx, posting, stmt))
            mark(out, db_int(stmt, 1));
    }
    db_reset(stmt);
    return ERR_OK;
}

err posting_collect(struct ctx *cx, const struct posting *posting, struct hits *out)
{
    struct db_stmt *stmt = open_rows(cx, posting);
    for (size_t seen = 0;; seen++) {
        bool row;
        TRY(db_step(cx, stmt, &row));
        if (!row)
            return ERR_OK;
        if (posting_row_counts(cx, posting, stmt))
            hits_add(cx, out,
                     (struct hit){ db_int(stmt, 0), db_int(stmt, 1), db_int(stmt, 2) });
        if (seen % 4096 == 4095) {
            err late = ctx_late(cx);
            if (late) {
                db_reset(stmt);
                return late;
            }
        }
    }
}

err posting_estimate(struct ctx *cx, const struct posting *posting, int64_t most, int64_t *out)
{
    struct db_stmt *stmt = open_rows(cx, posting);
    bool row = true;
    *out = 0;
    while (*out <= most) {
        TRY(db_step(cx, stmt, &row));
        if (!row)
            return ERR_OK;
        ++*out;
    }
    db_reset(stmt);
    return ERR_OK;
}

err posting_count(struct ctx *cx, const struct posting *posting, int64_t *out)
{
    static const size_t counts[] = { [POSTING_TOK] = TOK_COUNT, [POSTING_REF] = REF_COUNT,
                                     [POSTING_NUM] = NUM_COUNT };
    struct db_stmt *stmt = db_use(cx, cx->db, posting_sql, counts[posting->kind]);
    bool row;
    db_bind_int(stmt, 1, posting->slot);
    db_bind_int(stmt, 2, posting->value);
    if (posting->kind == POSTING_NUM) {
        db_bind_int(stmt, 3, posting->unit);
        db_bind_real(stmt, 4, posting->least);
        db_bind_real(stmt, 5, posting->most);
    }
    TRY(db_step(cx, stmt, &row));
    *out = row ? db_int(stmt, 0) : 0;
    db_reset(stmt);
    return ERR_OK;
}

static err probe_seq(struct ctx *cx, const struct posting *posting, const struct hit *hit,
                     bool *out)
{
    struct db_stmt *stmt = db_use(cx, cx->db, posting_sql, SEQ_OF);
    db_bind_int(stmt, 1, hit->rid);
    TRY(db_step(cx, stmt, out));
    int64_t seq = *out ? db_int(stmt, 0) : 0;
    db_reset(stmt);
    *out = seq >= posting->lo_min && seq <= posting->lo_max;
    return ERR_OK;
}

/* A resource may have a text several times, written differently. */
static err probe_text(struct ctx *cx, const struct posting *posting, const struct hit *hit,
                      bool *out)
{
    struct db_stmt *stmt = db_use(cx, cx->db, posting_sql, TXT_PROBE);
    db_bind_int(stmt, 1, posting->slot);
    db_bind_text(stmt, 2, posting->from);
    db_bind_int(stmt, 3, hit->at);
    db_bind_int(stmt, 4, hit->rid);
    bool row = true;
    for (*out = false; row && !*out;) {
        TRY(db_step(cx, stmt, &row));
        *out = row && posting_row_counts(cx, posting, stmt);
    }
    db_reset(stmt);
    return ERR_OK;
}

err posting_probe(struct ctx *cx, const struct posting *posting, const struct hit *hit, bool *out)
{
    if (posting->kind == POSTING_SEQ)
        return probe_seq(cx, posting, hit, out);
    if (posting->kind == POSTING_ONE)
        return probe_text(cx, posting, hit, out);
    struct db_stmt *stmt = db_use(cx, cx->db, posting_sql,
                                  posting->kind == POSTING_TOK ? TOK_PROBE : REF_PROBE);
    db_bind_int(stmt, 1, posting->slot);
    db_bind_int(stmt, 2, posting->value);
    db_bind_int(stmt, 3, hit->at);
    db_bind_int(stmt, 4, hit->rid);
    TRY(db_step(cx, stmt, out));
    db_reset(stmt);
    return ERR_OK;
}
