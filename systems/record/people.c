/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/record/people.h"
#include "store/access.h"
#include "store/index.h"
#include "store/layout.h"
#include "systems/record/record_sql.h"

enum { SLOTS_MAX = 4 };

/* One name's rows. A row is a patient's; a patient may have several. */
struct rows {
    struct ctx *cx;
    const struct people_ask *ask;
    const struct people_name *name;
    uint16_t slots[SLOTS_MAX];
    size_t slots_count;
    size_t name_at, slot_at, day_at; /* the range that is read */
    struct db_stmt *stmt;       /* NULL: the next range is not open */
    size_t read;
    bool cut;                   /* PEOPLE_ROWS were read, and there are more */
};

static struct rows rows_of(struct ctx *cx, struct store *store, const struct people_ask *ask,
                           bool given)
{
    const char *param = given ? "given" : "family";
    const struct layout_param *found = layout_param(store_layout(store),
                                                    fhir_resource_find(S("Patient")),
                                                    str_of(param));
    struct rows rows = { .cx = cx, .ask = ask, .name = given ? &ask->given : &ask->family };
    for (uint16_t i = 0; found && i < found->slots_count && i < SLOTS_MAX; i++)
        rows.slots[rows.slots_count++] = found->slots[i].slot;
    return rows;
}

static bool by_day(const struct rows *rows)
{
    return rows->name->whole && rows->ask->days;
}

/* Names sort by their bytes: what begins with one lies before it with the last letter there is. */
static void open_range(struct rows *rows)
{
    str name = rows->name->list[rows->name_at];
    bool whole = rows->name->whole || str_starts(rows->name->typed, name);
    rows->stmt = db_use(rows->cx, rows->cx->db, record_sql,
                        by_day(rows) ? RECORD_NAMED_AND_BORN : RECORD_NAMED);
    db_bind_int(rows->stmt, 1, rows->slots[rows->slot_at]);
    db_bind_text(rows->stmt, 2, name);
    if (by_day(rows)) {
        db_bind_int(rows->stmt, 3, rows->ask->days[rows->day_at] * 8);
        db_bind_int(rows->stmt, 4, rows->ask->days[rows->day_at] * 8 + 7);
    } else {
        db_bind_text(rows->stmt, 3, arena_printf(rows->cx->arena, "%.*s%s", STR_ARG(name),
                                                 whole ? "\x01" : "\xf4\x8f\xbf\xbf"));
    }
}

static void next_range(struct rows *rows)
{
    rows->stmt = NULL;
    if (by_day(rows) && ++rows->day_at < rows->ask->days_count)
        return;
    rows->day_at = 0;
    if (++rows->slot_at < rows->slots_count)
        return;
    rows->slot_at = 0;
    rows->name_at++;
}

static void end_rows(struct rows *rows)
{
    if (rows->stmt)
        db_reset(rows->stmt);
    rows->stmt = NULL;
}

static bool born_so(const struct people_ask *ask, int64_t at)
{
    bool so = !ask->days;
    for (size_t i = 0; i < ask->days_count && !so; i++)
        so = index_at_lo(at) == ask->days[i] && index_at_precision(at) != AT_OTHER;
    return so;
}

/* A row of the index: a patient, with the date of birth. */
struct row {
    int64_t rid, at;
};

/* The next patient the asker may see; *any false: no more, or enough were read. */
static err next_row(struct rows *rows, struct row *out, bool *any)
{
    for (*any = false;;) {
        rows->cut = rows->read == PEOPLE_ROWS;
        if (rows->cut || rows->name_at == rows->name->count || !rows->slots_count) {
            end_rows(rows);
            *any = false;
            return ERR_OK;
        }
        if (!rows->stmt)
            open_range(rows);
        TRY(db_step(rows->cx, rows->stmt, any));
        if (!*any) {
            next_range(rows);
            continue;
        }
        *out = (struct row){ db_int(rows->stmt, 0), db_int(rows->stmt, 2) };
        rows->read++;
        if (born_so(rows->ask, out->at) &&
            access_patient(rows->cx->access, out->rid, db_int(rows->stmt, 1)))
            return ERR_OK;
    }
}

/* A bit for each patient, by number. */
struct marks {
    uint64_t *words;
    int64_t first, count;
};

static bool mark(struct marks *marks, int64_t rid)
{
    int64_t n = rid - marks->first;
    if (n < 0 || n >= marks->count)
        return false;
    uint64_t bit = (uint64_t)1 << (n % 64);
    bool was = marks->words[n / 64] & bit;
    marks->words[n / 64] |= bit;
    return !was;
}

static bool marked(const struct marks *marks, int64_t rid)
{
    int64_t n = rid - marks->first;
    return n >= 0 && n < marks->count && marks->words[n / 64] >> (n % 64) & 1;
}

static err make_marks(struct ctx *cx, struct store *store, struct marks *out)
{
    uint16_t patient = fhir_resource_find(S("Patient"));
    int64_t end;
    TRY(store_rids_end(cx, store, patient, &end));
    *out = (struct marks){ .first = store_rid(patient, 0), .count = end - store_rid(patient, 0) };
    out->words = arena_array(cx->arena, (size_t)out->count / 64 + 1, sizeof *out->words);
    return ERR_OK;
}

/* Up to PEOPLE_MOST of one name; *few: that is all of them. */
static err take_few(struct rows rows, struct store *store, struct people *out, bool *few)
{
    struct marks seen;
    struct row row;
    bool any;
    TRY(make_marks(rows.cx, store, &seen));
    *out = (struct people){ 0 };
    for (*few = true; *few;) {
        TRY(next_row(&rows, &row, &any));
        if (!any)
            break;
        if (!mark(&seen, row.rid))
            continue;
        if (out->count == PEOPLE_MOST)
            *few = false;
        else
            out->rids[out->count++] = row.rid;
    }
    end_rows(&rows);
    *few = *few && !rows.cut;
    out->more = !*few;
    return ERR_OK;
}

/* Those who have one name, to be held against the other. */
struct have {
    struct ctx *cx;
    struct marks marks, seen;
    struct row *rows;
    size_t count, cap;
    struct people *out;
};

static err read_first(struct have *have, struct rows *rows)
{
    struct row row;
    for (bool any = true;;) {
        TRY(next_row(rows, &row, &any));
        if (!any)
            return ERR_OK;
        mark(&have->marks, row.rid);
        have->rows = arena_grow(have->cx->arena, have->rows, have->count, &have->cap, sizeof row);
        have->rows[have->count++] = row;
    }
}

/* False: there is no room for more. */
static bool take(struct have *have, int64_t rid)
{
    struct people *out = have->out;
    if (!mark(&have->seen, rid))
        return true;
    if (out->count == PEOPLE_MOST) {
        out->more = true;
        return false;
    }
    out->rids[out->count++] = rid;
    return true;
}

static err read_second(struct have *have, struct rows *rows)
{
    struct row row;
    for (bool any = true;;) {
        TRY(next_row(rows, &row, &any));
        if (!any)
            return ERR_OK;
        if (marked(&have->marks, row.rid) && !take(have, row.rid)) {
            end_rows(rows);
            return ERR_OK;
        }
    }
}

/* Has each of the first the second name, whole? Of a name too common to be read to its end. */
static err probe_second(struct have *have, const struct rows *second)
{
    for (size_t i = 0; i < have->count; i++)
        for (size_t s = 0; s < second->slots_count; s++) {
            bool has;
            struct db_stmt *stmt = db_use(have->cx, have->cx->db, record_sql, RECORD_HAS_NAME);
            db_bind_int(stmt, 1, second->slots[s]);
            db_bind_text(stmt, 2, second->name->list[0]);
            db_bind_int(stmt, 3, have->rows[i].at);
            db_bind_int(stmt, 4, have->rows[i].rid);
            TRY(db_step(have->cx, stmt, &has));
            db_reset(stmt);
            if (has && !take(have, have->rows[i].rid))
                return ERR_OK;
        }
    return ERR_OK;
}

/* `first` is read to its end, or as far as it goes; then who of `second` is among them. */
static err take_both(struct ctx *cx, struct store *store, struct rows first, struct rows second,
                     struct people *out)
{
    struct have have = { .cx = cx, .out = out };
    *out = (struct people){ 0 };
    TRY(make_marks(cx, store, &have.marks));
    TRY(make_marks(cx, store, &have.seen));
    TRY(read_first(&have, &first));
    TRY(read_second(&have, &second));
    bool probes = second.cut && !first.cut && have.count <= PEOPLE_PROBES &&
                  second.name->count == 1;
    if (probes)
        return probe_second(&have, &second);
    out->more = out->more || first.cut || second.cut;
    return ERR_OK;
}

/* Is the name too common to be read to its end? */
static err is_common(struct rows rows, bool *out)
{
    struct row row;
    for (bool any = true; any;)
        TRY(next_row(&rows, &row, &any));
    *out = rows.cut;
    return ERR_OK;
}

err people_named(struct ctx *cx, struct store *store, const struct people_ask *ask,
                 struct people *out)
{
    struct rows family = rows_of(cx, store, ask, false), given = rows_of(cx, store, ask, true);
    bool few, common;
    *out = (struct people){ 0 };
    if (!ask->family.count || !ask->given.count)
        return take_few(ask->family.count ? family : given, store, out, &few);
    TRY(take_few(family, store, out, &few));
    if (!few)
        TRY(take_few(given, store, out, &few));
    if (few)
        return ERR_OK;
    TRY(is_common(family, &common));
    return common ? take_both(cx, store, given, family, out)
                  : take_both(cx, store, family, given, out);
}
