/* SPDX-License-Identifier: Apache-2.0 */
#include "store/own.h"
#include "store/plan.h"

enum { STATE };
static const struct stmt query_own_sql[] = {
    [STATE] = { "state of an own parameter",
        "SELECT state, done, total FROM own_param WHERE slot=?1",
        "SEARCH own_param USING INTEGER PRIMARY KEY (rowid=?)" },
    { 0 },
};

struct progress {
    enum own_state state;
    int64_t percent;
};

static err read_progress(struct ctx *cx, uint16_t slot, struct progress *out)
{
    struct db_stmt *stmt = db_use(cx, cx->db, query_own_sql, STATE);
    bool row;
    *out = (struct progress){ OWN_WAITING, 0 };
    db_bind_int(stmt, 1, slot);
    TRY(db_step(cx, stmt, &row));
    if (row) {
        int64_t total = db_int(stmt, 2);
        out->state = (enum own_state)db_int(stmt, 0);
        out->percent = out->state == OWN_BUILDING && total ? db_int(stmt, 1) * 100 / total : 0;
    }
    db_reset(stmt);
    return ERR_OK;
}

/* The published set may be newer than this reader's snapshot: the snapshot has the last word. */
err query_own(struct ctx *cx, const struct query_source *from, const struct layout_param **param)
{
    const struct own_param *own = *param ? (*param)->own : NULL;
    struct progress progress;
    if (!own || !cx->db)
        return ERR_OK;
    TRY(read_progress(cx, own->slot, &progress));
    *param = progress.state == OWN_ACTIVE ? &own->indexed : &own->slow;
    if (progress.state == OWN_ACTIVE || !from->notes)
        return ERR_OK;
    issues_note(from->notes, (struct issue){
        .kind = ERR_BUSY, .severity = ISSUE_WARNING, .path = own->indexed.code,
        .text = arena_printf(cx->arena, "the search parameter \"%.*s\" is still being indexed "
                             "(%lld %%): the answer is complete, but each resource was read for "
                             "it", STR_ARG(own->indexed.code), (long long)progress.percent) });
    return ERR_OK;
}

/* As a published one, but for its slot. */
static err make_slow_composite(struct ctx *cx, const struct own_wish *wish,
                               const struct layout_param **out)
{
    struct own_param *own = arena_zero(cx->arena, sizeof *own);
    own->slots[1] = (struct layout_param_slot){ 0, FHIR_NONE };
    own->slow = (struct layout_param){ .code = wish->code, .expression = wish->expression,
                                       .resource = wish->resource, .kind = wish->kind,
                                       .slots_count = 1, .slots = &own->slots[1],
                                       .identifier_slot = FHIR_NONE, .own = own };
    own->indexed = own->slow;
    TRY(own_composite_make(cx, wish->expression, wish->resource, &own->path, &own->composite));
    own->slow.path = own->path;
    *out = &own->slow;
    return ERR_OK;
}

static err make_slow(struct ctx *cx, const struct own_wish *wish, const struct layout_param **out)
{
    if (wish->kind == FHIR_SEARCH_COMPOSITE)
        return make_slow_composite(cx, wish, out);
    struct layout_param *param = arena_zero(cx->arena, sizeof *param);
    struct layout_param_slot *slot = arena_zero(cx->arena, sizeof *slot);
    slot->target = FHIR_NONE;
    *param = (struct layout_param){ .code = wish->code, .expression = wish->expression,
                                    .resource = wish->resource, .kind = wish->kind,
                                    .slots_count = 1, .slots = slot,
                                    .identifier_slot = FHIR_NONE };
    TRY(path_compile(cx, wish->expression, &param->path));
    *out = param;
    return ERR_OK;
}

err query_new_own(struct ctx *cx, const struct query_source *from, uint16_t resource, str code,
                  const struct layout_param **out)
{
    uint16_t type = fhir_resource_find(S("SearchParameter"));
    struct buf text = buf_make(cx->arena, QUERY_BYTES_MAX);
    struct own_wishes wishes = { 0 };
    int64_t rids[1];
    struct search_rids found = { rids, COUNT(rids), 0 };
    struct json body;
    bool there = false;
    if (!from->store || resource == type || !code.n || code.n > 64)
        return ERR_OK;
    buf_add(&text, S("status=active&code="));
    query_encode(&text, code);
    buf_add(&text, S("&base=Resource,DomainResource,"));
    query_encode(&text, fhir_resource_name(resource));
    TRY(search_condition(cx, from->store, type, buf_str(&text), &found));
    if (found.count)
        TRY(plan_body(cx, from->store, rids[0], &body, &there));
    size_t issues = cx->issues.count;
    if (there && own_read(cx, from->store, body, rids[0], false, &wishes))
        cx->issues.count = cx->issues.kept = issues; /* without effect */
    for (size_t i = 0; i < wishes.count; i++)
        if (wishes.list[i].resource == resource)
            return make_slow(cx, &wishes.list[i], out);
    return ERR_OK;
}

err query_need_index(struct ctx *cx, const struct layout_param *param)
{
    if (!param || !param->path)
        return ERR_OK;
    return ctx_failf(cx, ERR_BUSY, param->code,
                     "the search parameter \"%.*s\" is still being indexed: it can be chained, "
                     "sorted and included by once SearchParameter/$status says active",
                     STR_ARG(param->code));
}
