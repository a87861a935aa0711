/* SPDX-License-Identifier: Apache-2.0 */
#include "store/compile.h"
#include "store/own.h"

enum { CODE_ANY, CODE_ONE, CODE_SYSTEM, IDENT_ONE, UNIT_ALL, NUM_UNIT, NUM_BY, WORDS_OF,
       CODES_FROM, SEQ_LAST, SEQ_AT, TEXT_NEXT };
enum { CIDS_MOST = 1000, TEXTS_LOOKED = 500 };

/* clang-format off */
const struct stmt compile_sql[] = {
    [CODE_ANY] = { "cids of a code in any system",
        "SELECT cid FROM code WHERE code=?1 AND (system='' OR system>=' ')",
        "SEARCH code USING COVERING INDEX code_by_text (code=?)" },
    [CODE_ONE] = { "cid of a code", "SELECT cid FROM code WHERE code=?1 AND system=?2",
        "SEARCH code USING COVERING INDEX code_by_text (code=? AND system=?)" },
    [CODE_SYSTEM] = { "cids of a system", "SELECT cid FROM code WHERE system=?1 LIMIT ?2",
        "SEARCH code USING COVERING INDEX code_by_system (system=?)" },
    [IDENT_ONE] = { "rid of an id", "SELECT rid FROM ident WHERE rid >> 36 = ?1 AND id = ?2",
        "SEARCH ident USING COVERING INDEX ident_by_id" },
    [UNIT_ALL] = { "units ever seen", "SELECT uid, system, code, human FROM unit", "SCAN unit" },
    /* Two scalar steps: a row value would be read from the first equal row on, all of them. */
    [NUM_UNIT] = { "next unit of a code in a slot",
        "SELECT by, unit FROM num WHERE slot=?1 AND by=?2 AND unit>?3 ORDER BY unit LIMIT 1",
        "SEARCH num USING PRIMARY KEY (slot=? AND by=? AND unit>?)" },
    [NUM_BY] = { "next code of a slot",
        "SELECT by, unit FROM num WHERE slot=?1 AND by>?2 ORDER BY by, unit LIMIT 1",
        "SEARCH num USING PRIMARY KEY (slot=? AND by>?)" },
    [WORDS_OF] = { "codes that go by words", "SELECT system FROM code WHERE code>=?1 AND code<?2 "
        "AND system>=char(31) AND system<' '",
        "SEARCH code USING COVERING INDEX code_by_text (code>? AND code<?)" },
    [CODES_FROM] = { "codes that begin so", "SELECT cid FROM code WHERE code>=?1 AND code<?2 "
        "AND (system='' OR system>=' ')",
        "SEARCH code USING COVERING INDEX code_by_text (code>? AND code<?)" },
    [SEQ_LAST] = { "end of the log, to search", "SELECT max(seq) FROM version", "SEARCH version" },
    [SEQ_AT] = { "instant of a seq", "SELECT at_ms FROM version WHERE seq=?1",
        "SEARCH version USING INTEGER PRIMARY KEY (rowid=?)" },
    [TEXT_NEXT] = { "next text of a slot",
        "SELECT folded FROM txt WHERE slot=?1 AND folded>=?2 AND folded<?3 ORDER BY folded LIMIT 1",
        "SEARCH txt USING PRIMARY KEY (slot=? AND folded>? AND folded<?)" },
    { 0 },
};
/* clang-format on */

void clause_add(struct ctx *cx, struct clause *clause, struct posting posting)
{
    clause->postings = arena_grow(cx->arena, clause->postings, clause->count, &clause->cap,
                                  sizeof posting);
    clause->postings[clause->count++] = posting;
}

static err add_cids(struct ctx *cx, struct db_stmt *stmt, struct cids *out)
{
    for (;;) {
        bool row;
        TRY(db_step(cx, stmt, &row));
        if (!row)
            return ERR_OK;
        out->list = arena_grow(cx->arena, out->list, out->count, &out->cap, sizeof *out->list);
        out->list[out->count++] = db_int(stmt, 0);
    }
}

static err add_cid(struct ctx *cx, str system, str code, struct cids *out)
{
    struct db_stmt *stmt = db_use(cx, cx->db, compile_sql, CODE_ONE);
    db_bind_text(stmt, 1, value_cut(code));
    db_bind_text(stmt, 2, value_cut(system));
    return add_cids(cx, stmt, out);
}

err compile_cids(struct ctx *cx, const struct layout_slot *slot, const struct query_value *value,
                 struct cids *out)
{
    out->count = 0;
    if (value->has_system && value->code.n) {
        TRY(add_cid(cx, value->system, value->code, out));
        if (value->system.n && match_implied(slot, value->system, value->code))
            TRY(add_cid(cx, S(""), value->code, out));
        return ERR_OK;
    }
    struct db_stmt *stmt = db_use(cx, cx->db, compile_sql,
                                  value->has_system ? CODE_SYSTEM : CODE_ANY);
    db_bind_text(stmt, 1, value_cut(value->has_system ? value->system : value->code));
    if (value->has_system)
        db_bind_int(stmt, 2, CIDS_MOST + 1);
    return add_cids(cx, stmt, out);
}

/* The first text after all that begin with this one; not given when there is none. */
static str after_prefix(struct arena *arena, str prefix)
{
    str end = arena_copy(arena, prefix);
    char *p = (char *)(uintptr_t)end.p;
    while (end.n > 0 && (unsigned char)p[end.n - 1] == 0xff)
        end.n--;
    if (!end.n)
        return (str){ 0 };
    p[end.n - 1] = (char)((unsigned char)p[end.n - 1] + 1);
    return end;
}

/* Candidates by words or by the code's beginning; the rows have the last word. */
static err compile_words(const struct compile *on, struct clause *clause, uint16_t slot)
{
    const struct query_criterion *criterion = clause->criterion;
    clause->exact = false;
    for (size_t v = 0; v < criterion->values_count; v++) {
        const struct query_value *value = &criterion->values[v];
        bool words = criterion->modifier == MOD_TEXT;
        str from = words ? value->folded : value->text;
        struct db_stmt *stmt = db_use(on->cx, on->cx->db, compile_sql,
                                      words ? WORDS_OF : CODES_FROM);
        db_bind_text(stmt, 1, from);
        db_bind_text(stmt, 2, after_prefix(on->cx->arena, from));
        for (bool row = true;;) {
            TRY(db_step(on->cx, stmt, &row));
            if (!row)
                break;
            int64_t cid = words ? 0 : db_int(stmt, 0);
            str system = words ? db_text(stmt, 0) : (str){ 0 };
            if (words && !str_to_i64(str_slice(system, 1, system.n), &cid))
                continue;
            clause_add(on->cx, clause, (struct posting){ .kind = POSTING_TOK, .slot = slot,
                                                         .value = cid });
        }
    }
    return ERR_OK;
}

static err compile_of_type(const struct compile *on, struct clause *clause, uint16_t slot)
{
    const struct query_criterion *criterion = clause->criterion;
    clause->exact = false;
    for (size_t v = 0; v < criterion->values_count; v++) {
        struct query_value any = { .code = criterion->values[v].type_value };
        struct cids cids = { 0 };
        TRY(compile_cids(on->cx, &on->layout->slots[slot], &any, &cids));
        for (size_t i = 0; i < cids.count; i++)
            clause_add(on->cx, clause, (struct posting){ .kind = POSTING_TOK, .slot = slot,
                                                         .value = cids.list[i] });
    }
    return ERR_OK;
}

static err compile_token(const struct compile *on, struct clause *clause, uint16_t slot)
{
    if (clause->criterion->modifier == MOD_OF_TYPE)
        return compile_of_type(on, clause, slot);
    if (clause->criterion->modifier == MOD_TEXT || clause->criterion->modifier == MOD_CODE_TEXT)
        return compile_words(on, clause, slot);
    if (clause->criterion->modifier == MOD_TEXT_ADVANCED) {
        clause->exact = false;
        clause_add(on->cx, clause, (struct posting){ .kind = POSTING_SLOT, .slot = slot,
                                                     .table = INDEX_TOK });
        return ERR_OK;
    }
    const struct layout_slot *at = &on->layout->slots[slot];
    const struct query_criterion *criterion = clause->criterion;
    for (size_t v = 0; v < criterion->values_count; v++) {
        const struct query_value *value = &criterion->values[v];
        struct cids cids = { 0 };
        TRY(compile_cids(on->cx, at, value, &cids));
        bool whole = cids.count > CIDS_MOST || (at->implied_system && !value->code.n);
        if (whole) {
            clause->exact = false;
            clause_add(on->cx, clause, (struct posting){ .kind = POSTING_SLOT, .slot = slot,
                                                         .table = INDEX_TOK });
            continue;
        }
        for (size_t i = 0; i < cids.count; i++)
            clause_add(on->cx, clause, (struct posting){ .kind = POSTING_TOK, .slot = slot,
                                                         .value = cids.list[i] });
    }
    return ERR_OK;
}

err compile_rid(struct ctx *cx, uint16_t resource, str id, int64_t *rid)
{
    struct db_stmt *stmt = db_use(cx, cx->db, compile_sql, IDENT_ONE);
    bool row;
    db_bind_int(stmt, 1, resource);
    db_bind_text(stmt, 2, id);
    TRY(db_step(cx, stmt, &row));
    *rid = row ? db_int(stmt, 0) : 0;
    db_reset(stmt);
    return ERR_OK;
}

/* Does the slot say whose record a resource is in, and is this a patient whose record is closed to
 * the asker? Then all that is there is hidden: it is not looked for, as with an unknown id. */
static bool is_closed(const struct compile *on, uint16_t resource, uint16_t slot, int64_t patient)
{
    const struct layout_type *type = &on->layout->types[resource];
    return store_rid_resource(patient) == fhir_resource_find(S("Patient")) &&
           on->layout->slots[slot].single && type->patient_slots_count > 0 &&
           type->patient_slots[0] == slot &&
           !access_patient(on->cx->access, store_rid(resource, 0), patient);
}

static err add_target(const struct compile *on, struct clause *clause,
                      const struct layout_param_slot *slot, uint16_t target, str id)
{
    int64_t rid;
    if (slot->target != FHIR_NONE && slot->target != target)
        return ERR_OK;
    TRY(compile_rid(on->cx, target, id, &rid));
    if (rid && !is_closed(on, on->query->resource, slot->slot, rid))
        clause_add(on->cx, clause, (struct posting){ .kind = POSTING_REF, .slot = slot->slot,
                                                     .value = rid });
    return ERR_OK;
}

/* An id alone may be of any type the parameter refers to. */
static err add_any_target(const struct compile *on, struct clause *clause,
                          const struct layout_param_slot *slot, str id)
{
    const uint16_t *types;
    if (slot->target != FHIR_NONE)
        return add_target(on, clause, slot, slot->target, id);
    uint16_t listed = layout_targets(clause->criterion->param, &types);
    for (uint16_t i = 0; i < (listed ? listed : fhir_resources_count); i++)
        TRY(add_target(on, clause, slot, listed ? layout_target(types[i]) : i, id));
    return ERR_OK;
}

static err compile_reference(const struct compile *on, struct clause *clause)
{
    const struct query_criterion *criterion = clause->criterion;
    for (size_t v = 0; v < criterion->values_count; v++) {
        const struct query_value *value = &criterion->values[v];
        if (value->reference.version.n)
            clause->exact = false;
        for (uint16_t s = 0; s < criterion->param->slots_count; s++) {
            const struct layout_param_slot *slot = &criterion->param->slots[s];
            if (value->any_type)
                TRY(add_any_target(on, clause, slot, value->reference.id));
            else
                TRY(add_target(on, clause, slot, value->reference.target, value->reference.id));
        }
    }
    return ERR_OK;
}

/* A range that holds few different texts becomes those that count: each is in hit order and can be
 * probed, so a page of a common name costs what it shows. */
static err add_texts(const struct compile *on, struct clause *clause, const struct posting *range)
{
    struct ctx *cx = on->cx;
    struct posting one = *range;
    size_t before = clause->count;
    str from = range->from;
    one.kind = POSTING_ONE;
    one.contains = (str){ 0 };
    for (size_t looked = 0; looked < TEXTS_LOOKED; looked++) {
        bool row;
        struct db_stmt *stmt = db_use(cx, cx->db, compile_sql, TEXT_NEXT);
        db_bind_int(stmt, 1, range->slot);
        db_bind_text(stmt, 2, from);
        if (str_given(range->to))
            db_bind_text(stmt, 3, range->to);
        else
            db_bind_blob(stmt, 3, S("")); /* after every text */
        TRY(db_step(cx, stmt, &row));
        if (!row)
            return ERR_OK;
        from = arena_printf(cx->arena, "%.*s%c", STR_ARG(db_text(stmt, 0)), '\0');
        db_reset(stmt);
        one.from = str_slice(from, 0, from.n - 1);
        if (str_given(range->contains) && str_find(one.from, range->contains) == STR_NONE)
            continue;
        if (clause->count >= plan_limits.texts)
            break;
        clause_add(cx, clause, one);
    }
    clause->count = before;
    clause_add(cx, clause, *range);
    return ERR_OK;
}

static err add_text(const struct compile *on, struct clause *clause, uint16_t slot,
                    const struct query_value *value)
{
    struct posting posting = { .kind = POSTING_TXT, .slot = slot, .from = value->folded };
    bool uri = clause->criterion->param->kind == FHIR_SEARCH_URI;
    clause->exact = clause->exact && clause->criterion->modifier != MOD_ENDS;
    switch (clause->criterion->modifier) {
    case MOD_ENDS:
    case MOD_CONTAINS:
    case MOD_TEXT:
        posting.from = S("");
        posting.contains = value->folded;
        break;
    case MOD_EXACT:
        posting.exact = value->text;
        posting.to = arena_printf(on->cx->arena, "%.*s%c", STR_ARG(value->folded), '\x01');
        break;
    case MOD_ABOVE:
        for (size_t n = 1; n <= value->text.n; n++) {
            posting.from = str_slice(value->text, 0, n);
            posting.to = arena_printf(on->cx->arena, "%.*s%c", STR_ARG(posting.from), '\x01');
            TRY(add_texts(on, clause, &posting));
        }
        return ERR_OK;
    default:
        posting.to = uri && clause->criterion->modifier != MOD_BELOW
                         ? arena_printf(on->cx->arena, "%.*s%c", STR_ARG(value->folded), '\x01')
                         : after_prefix(on->cx->arena, value->folded);
    }
    return add_texts(on, clause, &posting);
}

/* For each span class the starts that can answer; the rows' ends are looked at on the way. */
static void add_days(const struct compile *on, struct clause *clause, uint16_t slot,
                     const struct query_value *value)
{
    const struct value_span asked = value->span;
    for (uint8_t class = 0; class <= 4; class++) {
        int64_t width = value_class_ms(class), lo = DAY_MIN, hi = DAY_MAX;
        int64_t reach = width == INT64_MAX ? DAY_MIN : asked.lo - width;
        switch (value->prefix) {
        case PREFIX_EQ: lo = asked.lo, hi = asked.hi; break;
        case PREFIX_GT:
        case PREFIX_GE: lo = reach; break;
        case PREFIX_LT: hi = asked.lo - 1; break;
        case PREFIX_LE: hi = asked.hi; break;
        case PREFIX_SA: lo = asked.hi + 1; break;
        case PREFIX_EB: hi = asked.lo - 1; break;
        case PREFIX_PO: lo = reach, hi = asked.hi; break;
        case PREFIX_NE:
        case PREFIX_AP: break;
        }
        if (class > 0 && value->prefix == PREFIX_EQ &&
            asked.hi - asked.lo < value_class_ms(class - 1))
            continue; /* too long to lie within */
        lo = lo < DAY_MIN ? DAY_MIN : lo;
        clause_add(on->cx, clause, (struct posting){
            .kind = POSTING_DAY, .slot = slot, .span = class, .lo_min = lo * 8,
            .lo_max = hi * 8 + 7, .prefix = value->prefix, .asked = asked });
    }
}

struct unit_list {
    struct unit_row { int64_t uid; str system, code, human; } *list;
    size_t count, cap;
};

static err read_units(struct ctx *cx, struct unit_list *out)
{
    struct db_stmt *stmt = db_use(cx, cx->db, compile_sql, UNIT_ALL);
    *out = (struct unit_list){ 0 };
    for (;;) {
        bool row;
        TRY(db_step(cx, stmt, &row));
        if (!row)
            return ERR_OK;
        out->list = arena_grow(cx->arena, out->list, out->count, &out->cap, sizeof *out->list);
        out->list[out->count++] = (struct unit_row){
            db_int(stmt, 0), arena_copy(cx->arena, db_text(stmt, 1)),
            arena_copy(cx->arena, db_text(stmt, 2)), arena_copy(cx->arena, db_text(stmt, 3)) };
    }
}

static void add_range(const struct compile *on, struct clause *clause, uint16_t slot, int64_t by,
                      int64_t uid, const struct unit_list *units)
{
    struct unit_row none = { 0, S(""), S(""), S("") };
    const struct unit_row *unit = &none;
    for (size_t i = 0; i < units->count; i++)
        unit = units->list[i].uid == uid ? &units->list[i] : unit;
    for (size_t v = 0; v < clause->criterion->values_count; v++) {
        struct match_range ranges[2];
        size_t count = match_ranges(&clause->criterion->values[v], unit->system, unit->code,
                                    unit->human, ranges);
        for (size_t i = 0; i < count; i++)
            clause_add(on->cx, clause, (struct posting){
                .kind = POSTING_NUM, .slot = slot, .value = by, .unit = uid,
                .least = ranges[i].least, .most = ranges[i].most });
    }
}

const struct query_criterion *compile_code_beside(const struct index_layout *layout,
                                                  const struct query *query, uint16_t slot)
{
    str key = layout->slots[slot].key;
    if (!layout->slots[slot].by || !str_starts(key, S("Observation.value")))
        return NULL;
    for (size_t i = 0; i < query->criteria_count; i++) {
        const struct query_criterion *c = &query->criteria[i];
        if (c->what == QUERY_PARAM && c->modifier == MOD_NONE && str_eq(c->param->code, S("code")))
            return c;
    }
    return NULL;
}

/* The cids of all of a token criterion's values. */
static err all_cids(const struct compile *on, const struct query_criterion *token,
                    struct cids *out)
{
    const struct layout_slot *slot = &on->layout->slots[token->param->slots[0].slot];
    for (size_t v = 0; v < token->values_count; v++) {
        struct cids one = { 0 };
        TRY(compile_cids(on->cx, slot, &token->values[v], &one));
        for (size_t i = 0; i < one.count; i++) {
            out->list = arena_grow(on->cx->arena, out->list, out->count, &out->cap,
                                   sizeof *out->list);
            out->list[out->count++] = one.list[i];
        }
    }
    return ERR_OK;
}

/* The first (by, unit) pair after the one given; *any false: there is none. */
static err next_pair(struct ctx *cx, uint16_t slot, int64_t *by, int64_t *unit, bool *any)
{
    *any = false;
    for (size_t which = NUM_UNIT; which <= NUM_BY && !*any; which++) {
        struct db_stmt *stmt = db_use(cx, cx->db, compile_sql, which);
        db_bind_int(stmt, 1, slot);
        db_bind_int(stmt, 2, *by);
        if (which == NUM_UNIT)
            db_bind_int(stmt, 3, *unit);
        TRY(db_step(cx, stmt, any));
        if (*any) {
            *by = db_int(stmt, 0);
            *unit = db_int(stmt, 1);
        }
        db_reset(stmt);
    }
    return ERR_OK;
}

/* Steps over the few (by, unit) pairs a slot holds; with `only`, those of these codes. */
static err compile_numbers(const struct compile *on, struct clause *clause, uint16_t slot,
                           const struct cids *only)
{
    struct unit_list units;
    TRY(read_units(on->cx, &units));
    bool any = true;
    for (size_t i = 0; i < (only ? only->count : 1); i++) {
        int64_t by = only ? only->list[i] : -1, unit = -1;
        for (;;) {
            TRY(next_pair(on->cx, slot, &by, &unit, &any));
            if (!any || (only && by != only->list[i]))
                break;
            add_range(on, clause, slot, by, unit, &units);
        }
    }
    return ERR_OK;
}

static err compile_quantity(const struct compile *on, struct clause *clause, uint16_t slot)
{
    const struct query_criterion *code = compile_code_beside(on->layout, on->query, slot);
    struct cids cids = { 0 };
    if (code)
        TRY(all_cids(on, code, &cids));
    if (!code || cids.count > PLAN_MANY)
        return compile_numbers(on, clause, slot, NULL);
    clause->implies = clause->criterion->param->slots_count == 1 ? code : NULL;
    return compile_numbers(on, clause, slot, &cids);
}

static err compile_param(const struct compile *on, struct clause *clause);

static err compile_slot(const struct compile *on, struct clause *clause, uint16_t slot)
{
    const struct query_criterion *criterion = clause->criterion;
    switch ((enum index_table)on->layout->slots[slot].table) {
    case INDEX_TOK: return compile_token(on, clause, slot);
    case INDEX_NUM: return compile_quantity(on, clause, slot);
    case INDEX_TXT:
        for (size_t v = 0; v < criterion->values_count; v++)
            TRY(add_text(on, clause, slot, &criterion->values[v]));
        return ERR_OK;
    case INDEX_DAY:
        for (size_t v = 0; v < criterion->values_count; v++)
            add_days(on, clause, slot, &criterion->values[v]);
        return ERR_OK;
    case INDEX_REF:
    case INDEX_TABLES: break;
    }
    return ERR_OK;
}

static void compile_missing(const struct compile *on, struct clause *clause)
{
    const struct layout_param *param = clause->criterion->param;
    clause->negate = clause->criterion->missing;
    for (uint16_t s = 0; s < param->slots_count; s++) {
        uint16_t slot = param->slots[s].slot, target = param->slots[s].target;
        clause_add(on->cx, clause, (struct posting){
            .kind = POSTING_SLOT, .slot = slot, .table = on->layout->slots[slot].table,
            .value = target == FHIR_NONE ? -1 : target });
    }
    if (layout_counts_identifier(param))
        clause_add(on->cx, clause, (struct posting){
            .kind = POSTING_SLOT, .slot = param->identifier_slot, .table = INDEX_TOK });
}

/* What the first component finds; the elements of each candidate have the last word. */
static err compile_own_composite(const struct compile *on, struct clause *clause)
{
    const struct query_criterion *criterion = clause->criterion;
    const struct own_param *own = criterion->param->own;
    struct layout_param first = own->composite->first;
    first.slots = criterion->param->slots;
    clause->exact = false;
    for (size_t v = 0; v < criterion->values_count; v++) {
        struct query_criterion one = { .param = &first, .values = &criterion->values[v].parts[0],
                                       .values_count = 1, .type = FHIR_NONE };
        struct clause part = { .criterion = &one, .exact = true };
        TRY(compile_param(on, &part));
        for (size_t i = 0; i < part.count; i++)
            clause_add(on->cx, clause, part.postings[i]);
    }
    return ERR_OK;
}

/* A code with its quantity is one range of num; other composites start from their first part. */
static err compile_composite(const struct compile *on, struct clause *clause)
{
    const struct query_criterion *criterion = clause->criterion;
    for (size_t v = 0; v < criterion->values_count; v++) {
        struct query_value *parts = criterion->values[v].parts;
        struct query_criterion first = { .param = parts[0].param, .values = &parts[0],
                                         .values_count = 1, .type = FHIR_NONE };
        struct query_criterion second = { .param = parts[1].param, .values = &parts[1],
                                          .values_count = 1, .type = FHIR_NONE };
        bool by = parts[1].param->kind == FHIR_SEARCH_QUANTITY;
        for (uint16_t s = 0; s < parts[1].param->slots_count && by; s++)
            by = on->layout->slots[parts[1].param->slots[s].slot].by;
        struct clause part = { .criterion = by ? &second : &first, .exact = true };
        struct cids cids = { 0 };
        if (by)
            TRY(all_cids(on, &first, &cids));
        for (uint16_t s = 0; by && s < parts[1].param->slots_count; s++)
            TRY(compile_numbers(on, &part, parts[1].param->slots[s].slot, &cids));
        if (!by)
            TRY(compile_param(on, &part));
        clause->exact = clause->exact && by;
        for (size_t i = 0; i < part.count; i++)
            clause_add(on->cx, clause, part.postings[i]);
    }
    return ERR_OK;
}

static err compile_param(const struct compile *on, struct clause *clause)
{
    const struct query_criterion *criterion = clause->criterion;
    const struct layout_param *param = criterion->param;
    if (param->path) {
        clause->verify_only = true;
        clause->exact = false;
        return ERR_OK;
    }
    if (criterion->modifier == MOD_MISSING) {
        compile_missing(on, clause);
        return ERR_OK;
    }
    clause->negate = criterion->modifier == MOD_NOT || criterion->modifier == MOD_NOT_IN;
    if (criterion->modifier == MOD_IDENTIFIER)
        return compile_token(on, clause, param->identifier_slot);
    if (param->kind == FHIR_SEARCH_COMPOSITE)
        return param->own ? compile_own_composite(on, clause) : compile_composite(on, clause);
    if (param->kind == FHIR_SEARCH_REFERENCE)
        return compile_reference(on, clause);
    for (uint16_t s = 0; s < param->slots_count; s++)
        TRY(compile_slot(on, clause, param->slots[s].slot));
    const struct layout_type *type = &on->layout->types[param->resource];
    clause->dated = param == type->at_param;
    for (uint16_t s = 0; s < param->slots_count && clause->dated; s++)
        clause->dated = on->layout->slots[param->slots[s].slot].single;
    return ERR_OK;
}

static err compile_id(const struct compile *on, struct clause *clause)
{
    const struct query_criterion *criterion = clause->criterion;
    clause->opaque = true;
    if (criterion->modifier == MOD_MISSING) {
        clause->negate = !criterion->missing; /* every resource has an id */
        return ERR_OK;
    }
    clause->negate = criterion->modifier == MOD_NOT;
    for (size_t v = 0; v < criterion->values_count; v++) {
        int64_t rid;
        TRY(compile_rid(on->cx, on->query->resource, criterion->values[v].text, &rid));
        if (rid)
            clause_add(on->cx, clause, (struct posting){ .kind = POSTING_RID, .value = rid });
    }
    return ERR_OK;
}

/* The first seq whose instant is `at_ms` or later; instants never fall as seq grows. */
static err first_seq(struct ctx *cx, int64_t at_ms, int64_t *out)
{
    bool row;
    struct db_stmt *stmt = db_use(cx, cx->db, compile_sql, SEQ_LAST);
    TRY(db_step(cx, stmt, &row));
    int64_t low = 1, high = row ? db_int(stmt, 0) + 1 : 1;
    db_reset(stmt);
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        stmt = db_use(cx, cx->db, compile_sql, SEQ_AT);
        db_bind_int(stmt, 1, middle);
        TRY(db_step(cx, stmt, &row));
        bool before = row && db_int(stmt, 0) < at_ms;
        db_reset(stmt);
        if (before)
            low = middle + 1;
        else
            high = middle;
    }
    *out = low;
    return ERR_OK;
}

static err add_seqs(const struct compile *on, struct clause *clause, int64_t from_ms, int64_t to_ms)
{
    struct posting posting = { .kind = POSTING_SEQ, .value = on->query->resource };
    TRY(first_seq(on->cx, from_ms, &posting.lo_min));
    TRY(first_seq(on->cx, to_ms == INT64_MAX ? to_ms : to_ms + 1, &posting.lo_max));
    posting.lo_max--;
    clause_add(on->cx, clause, posting);
    return ERR_OK;
}

static err compile_updated(const struct compile *on, struct clause *clause)
{
    const struct query_criterion *criterion = clause->criterion;
    clause->opaque = clause->by_seq = true;
    if (criterion->modifier == MOD_MISSING) {
        clause->negate = !criterion->missing; /* every resource has one */
        return ERR_OK;
    }
    for (size_t v = 0; v < criterion->values_count; v++) {
        struct value_span asked = criterion->values[v].span;
        int64_t far = on->cx->now_ms - asked.hi, slack = far > 0 ? far / 10 : 0;
        switch (criterion->values[v].prefix) {
        case PREFIX_PO:
        case PREFIX_EQ: TRY(add_seqs(on, clause, asked.lo, asked.hi)); break;
        case PREFIX_NE:
            TRY(add_seqs(on, clause, INT64_MIN, asked.lo - 1));
            TRY(add_seqs(on, clause, asked.hi + 1, INT64_MAX));
            break;
        case PREFIX_GT:
        case PREFIX_SA: TRY(add_seqs(on, clause, asked.hi + 1, INT64_MAX)); break;
        case PREFIX_GE: TRY(add_seqs(on, clause, asked.lo, INT64_MAX)); break;
        case PREFIX_LT:
        case PREFIX_EB: TRY(add_seqs(on, clause, INT64_MIN, asked.lo - 1)); break;
        case PREFIX_LE: TRY(add_seqs(on, clause, INT64_MIN, asked.hi)); break;
        case PREFIX_AP: TRY(add_seqs(on, clause, asked.lo - slack, asked.hi + slack)); break;
        }
    }
    return ERR_OK;
}

/* Everything that one of the compartment's parameters links to the named resource. */
static err compile_compartment(const struct compile *on, struct clause *clause)
{
    const struct query_criterion *criterion = clause->criterion;
    int64_t rid = 0;
    clause->opaque = true;
    TRY(compile_rid(on->cx, fhir_resource_find(criterion->shown), criterion->raw, &rid));
    const char *const *codes = fhir_compartment_params(criterion->shown, criterion->type);
    for (; rid && codes && *codes; codes++) {
        if (str_eq(str_of(*codes), S("{def}"))) {
            clause_add(on->cx, clause, (struct posting){ .kind = POSTING_RID, .value = rid });
            continue;
        }
        const struct layout_param *param = layout_param(on->layout, criterion->type,
                                                        str_of(*codes));
        for (uint16_t s = 0; param && s < param->slots_count; s++)
            if (!is_closed(on, criterion->type, param->slots[s].slot, rid))
                clause_add(on->cx, clause, (struct posting){ .kind = POSTING_REF,
                                                         .slot = param->slots[s].slot,
                                                         .value = rid });
    }
    return ERR_OK;
}

/* _text, _content. */
static void compile_text(const struct compile *on, struct clause *clause)
{
    const struct query_criterion *criterion = clause->criterion;
    for (size_t v = 0; v < criterion->values_count; v++)
        clause_add(on->cx, clause, (struct posting){
            .kind = POSTING_WORDS, .value = on->query->resource,
            .from = words_match_text(on->cx->arena, criterion->values[v].words,
                                     criterion->what == QUERY_CONTENT) });
}

err compile_clause(const struct compile *on, const struct query_criterion *criterion,
                   struct clause *out)
{
    *out = (struct clause){ .criterion = criterion, .exact = true };
    switch (criterion->what) {
    case QUERY_PARAM: TRY(compile_param(on, out)); break;
    case QUERY_ID: TRY(compile_id(on, out)); break;
    case QUERY_UPDATED: TRY(compile_updated(on, out)); break;
    case QUERY_CHAIN: TRY(compile_chain(on, out)); break;
    case QUERY_HAS: TRY(compile_has(on, out)); break;
    case QUERY_COMPARTMENT: TRY(compile_compartment(on, out)); break;
    case QUERY_LIST: TRY(compile_list(on, out)); break;
    case QUERY_FILTER: TRY(compile_filter(on, out)); break;
    case QUERY_TEXT:
    case QUERY_CONTENT: compile_text(on, out); break;
    case QUERY_NEAR:
        out->verify_only = true;
        out->exact = false;
        break;
    }
    out->ordered = out->count <= PLAN_STREAMS_MOST && out->count > 0;
    for (size_t i = 0; i < out->count && out->ordered; i++)
        out->ordered = posting_ordered(&out->postings[i]);
    return ERR_OK;
}
