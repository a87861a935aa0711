/* SPDX-License-Identifier: Apache-2.0 */
#include "store/labels.h"
#include "base/buf.h"
#include "store/layout.h"
#include "store/search.h"

enum { LABELS_CODE, LABELS_TEXT };
const struct stmt labels_sql[] = {
    [LABELS_CODE] = { "the next code of a slot",
        "SELECT t.cid, c.system, c.code FROM (SELECT cid FROM tok WHERE slot=?1 AND cid>?2 "
        "ORDER BY cid LIMIT 1) t JOIN code c ON c.cid = t.cid",
        "SEARCH tok USING PRIMARY KEY (slot=? AND cid>?)" },
    [LABELS_TEXT] = { "the next text of a slot",
        "SELECT folded, exact FROM txt WHERE slot=?1 AND folded>?2 ORDER BY folded LIMIT 1",
        "SEARCH txt USING PRIMARY KEY (slot=? AND folded>?)" },
    { 0 },
};

struct walk {
    struct ctx *cx;
    struct store *store;
    uint16_t resource;
    str param;
    struct labels *labels;
};

static bool is_known(const struct labels *labels, const struct label *label)
{
    for (size_t i = 0; i < labels->count; i++)
        if (str_eq(labels->list[i].system, label->system) &&
            str_eq(labels->list[i].code, label->code))
            return true;
    return false;
}

/* "$", ",", "|" and "\" as a search value's own characters, percent-encoded. */
static void put_value(struct buf *buf, str text)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c == '$' || c == ',' || c == '|' || c == '\\')
            buf_add(buf, S("%5C"));
        buf_char(buf, '%');
        buf_char(buf, hex[c >> 4]);
        buf_char(buf, hex[c & 15]);
    }
}

/* Whether a resource that may be seen carries it. */
static err is_visible(const struct walk *walk, const struct label *label, bool *out)
{
    struct buf query = buf_make(walk->cx->arena, 16384);
    int64_t rid;
    struct search_rids found = { &rid, 1, 0 };
    *out = true;
    if (!walk->cx->access)
        return ERR_OK;
    buf_add(&query, walk->param);
    buf_char(&query, '=');
    if (label->system.n) {
        put_value(&query, label->system);
        buf_char(&query, '|');
    }
    put_value(&query, label->code);
    TRY(search_condition(walk->cx, walk->store, walk->resource, buf_str(&query), &found));
    *out = found.count > 0;
    return ERR_OK;
}

static err add(const struct walk *walk, struct label label)
{
    struct labels *labels = walk->labels;
    bool visible;
    if (is_known(labels, &label))
        return ERR_OK;
    TRY(is_visible(walk, &label, &visible));
    if (!visible)
        return ERR_OK;
    labels->more = labels->count == LABELS_MAX;
    if (labels->more)
        return ERR_OK;
    labels->list = arena_grow(walk->cx->arena, labels->list, labels->count, &labels->cap,
                              sizeof *labels->list);
    labels->list[labels->count++] = label;
    return ERR_OK;
}

static err add_codes(const struct walk *walk, uint16_t slot)
{
    int64_t cid = INT64_MIN;
    for (bool row = true; row && !walk->labels->more;) {
        struct db_stmt *stmt = db_use(walk->cx, walk->cx->db, labels_sql, LABELS_CODE);
        struct label label;
        db_bind_int(stmt, 1, slot);
        db_bind_int(stmt, 2, cid);
        TRY(db_step(walk->cx, stmt, &row));
        if (!row)
            break;
        cid = db_int(stmt, 0);
        label.system = arena_copy(walk->cx->arena, db_text(stmt, 1));
        label.code = arena_copy(walk->cx->arena, db_text(stmt, 2));
        db_reset(stmt);
        if (!index_is_words(label.system))
            TRY(add(walk, label));
    }
    return ERR_OK;
}

static err add_texts(const struct walk *walk, uint16_t slot)
{
    str folded = S("");
    for (bool row = true; row && !walk->labels->more;) {
        struct db_stmt *stmt = db_use(walk->cx, walk->cx->db, labels_sql, LABELS_TEXT);
        struct label label = { 0 };
        db_bind_int(stmt, 1, slot);
        db_bind_text(stmt, 2, folded);
        TRY(db_step(walk->cx, stmt, &row));
        if (!row)
            break;
        folded = arena_copy(walk->cx->arena, db_text(stmt, 0));
        label.code = arena_copy(walk->cx->arena, db_text(stmt, 1));
        label.code = label.code.n ? label.code : folded;
        db_reset(stmt);
        TRY(add(walk, label));
    }
    return ERR_OK;
}

err labels_add(struct ctx *cx, struct store *store, uint16_t resource, str param,
               struct labels *labels)
{
    const struct index_layout *layout = store_layout(store);
    const struct layout_param *found = layout_param(layout, resource, param);
    struct walk walk = { cx, store, resource, param, labels };
    TRY(store_reader(cx, store));
    for (uint16_t i = 0; found && i < found->slots_count; i++) {
        uint16_t slot = found->slots[i].slot;
        TRY(layout->slots[slot].table == INDEX_TOK ? add_codes(&walk, slot)
                                                   : add_texts(&walk, slot));
    }
    return ERR_OK;
}
