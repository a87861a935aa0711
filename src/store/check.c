/* SPDX-License-Identifier: Apache-2.0 */
#include "store/check_work.h"
#include "store/claim.h"
#include "store/version.h"
#include <stdarg.h>

enum { LOOK_EVERY = 4096 };

void check_fault(struct check_work *w, const char *format, ...)
{
    char text[600];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t bytes = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    if (w->report->faults_count < CHECK_FAULTS_MAX)
        w->report->faults[w->report->faults_count] = arena_copy(w->faults, (str){ text, bytes });
    w->report->faults_count++;
}

void check_progress(const struct check_work *w, const char *what, int64_t done, int64_t total)
{
    if (w->options.progress && done % LOOK_EVERY == 0)
        w->options.progress(w->options.self, what, done, total);
}

str check_name(struct ctx *cx, int64_t rid)
{
    struct ident_row ident;
    str id = { 0 };
    uint16_t resource = store_rid_resource(rid);
    if (ident_of_rid(cx, cx->db, rid, &ident, &id) || !str_given(id) ||
        resource >= fhir_resources_count)
        return arena_printf(cx->arena, "rid %lld", (long long)rid);
    return arena_printf(cx->arena, "%.*s/%.*s", STR_ARG(fhir_resource_name(resource)),
                        STR_ARG(id));
}

enum { FILE_CHECK, ALL_VERSIONS, ALL_IDENTS, ALL_CLAIMS, COUNT_CLAIMS };
static const struct stmt check_sql[] = {
    [FILE_CHECK] = { "check the file", "PRAGMA quick_check(20)", NULL },
    [ALL_VERSIONS] = { "check versions",
        "SELECT v.rid, i.vid, i.seq, ifnull(i.pid, 0), i.deleted, i.labelled, v.seq, v.vid, "
        "v.at_ms, v.method, v.dict, v.hole, v.body, i.id FROM version v "
        "LEFT JOIN ident i ON i.rid = v.rid ORDER BY v.seq", NULL },
    [ALL_IDENTS] = { "check idents",
        "SELECT i.rid, i.vid, i.seq, i.deleted, i.id, v.vid, v.method, v.rid, "
        "(SELECT count(*) FROM version w WHERE w.rid = i.rid), "
        "(SELECT max(vid) FROM version w WHERE w.rid = i.rid) "
        "FROM ident i LEFT JOIN version v ON v.seq = i.seq ORDER BY i.rid", NULL },
    [ALL_CLAIMS] = { "check claims", "SELECT kind, key, rid FROM claim ORDER BY kind, key", NULL },
    { 0 },
};

static err check_file(struct ctx *cx, struct check_work *w)
{
    struct db_stmt *stmt = db_use(cx, cx->db, check_sql, FILE_CHECK);
    bool row;
    for (;;) {
        TRY(db_step(cx, stmt, &row));
        if (!row)
            return ERR_OK;
        if (!str_eq(db_text(stmt, 0), S("ok")))
            check_fault(w, "database file: %.*s", STR_ARG(db_text(stmt, 0)));
    }
}

/* --- bodies and the log --- */

static void check_body(struct ctx *cx, struct check_work *w, const struct version_row *row)
{
    const struct store_version *v = &row->version;
    str type = v->resource < fhir_resources_count ? fhir_resource_name(v->resource) : S("?");
    struct json body;
    if (v->method == STORE_DELETED) {
        if (row->body.text.n)
            check_fault(w, "version %lld: a deletion has a body", (long long)v->seq);
        return;
    }
    if (json_parse(cx, version_splice(cx->arena, row->body, v->vid, v->at_ms), &body)) {
        check_fault(w, "version %lld (%.*s/%.*s): its body does not parse: %.*s",
                    (long long)v->seq, STR_ARG(type), STR_ARG(v->id),
                    STR_ARG(cx->issues.kept ? cx->issues.list[0].text : S("?")));
        return;
    }
    if (!json_string_is(json_get(body, S("resourceType")), type) ||
        !json_string_is(json_get(body, S("id")), v->id))
        check_fault(w, "version %lld: its body is not %.*s/%.*s", (long long)v->seq, STR_ARG(type),
                    STR_ARG(v->id));
    if (!json_string_is(json_get(json_get(body, S("meta")), S("versionId")),
                        arena_printf(cx->arena, "%lld", (long long)v->vid)))
        check_fault(w, "version %lld (%.*s/%.*s): its meta is not in its place",
                    (long long)v->seq, STR_ARG(type), STR_ARG(v->id));
}

/* One version: in its place in the log, and readable. */
static err check_version(struct ctx *cx, struct check_work *w, struct db_stmt *stmt,
                         int64_t *last_seq, int64_t *last_at)
{
    struct version_row row;
    err wrong = version_from(cx, w->store, cx->db, stmt, &row);
    const struct store_version *v = &row.version;
    if (v->seq != *last_seq + 1)
        check_fault(w, "log: after seq %lld comes %lld", (long long)*last_seq, (long long)v->seq);
    if (v->at_ms < *last_at)
        check_fault(w, "log: seq %lld is older than the one before it", (long long)v->seq);
    *last_seq = v->seq;
    *last_at = v->at_ms;
    if (!str_given(v->id))
        check_fault(w, "version %lld belongs to rid %lld, which has no ident", (long long)v->seq,
                    (long long)v->rid);
    else if (wrong)
        check_fault(w, "version %lld (%.*s): %.*s", (long long)v->seq,
                    STR_ARG(check_name(cx, v->rid)),
                    STR_ARG(cx->issues.kept ? cx->issues.list[0].text : S("unreadable")));
    else
        check_body(cx, w, &row);
    return ERR_OK;
}

static err check_versions(struct ctx *cx, struct check_work *w)
{
    struct db_stmt *stmt = db_use(cx, cx->db, check_sql, ALL_VERSIONS);
    int64_t last_seq = 0, last_at = 0, total = store_seq(w->store);
    for (;;) {
        bool row;
        TRY(db_step(cx, stmt, &row));
        if (!row)
            return ERR_OK;
        struct arena_mark mark = arena_mark(cx->arena);
        TRY(check_version(cx, w, stmt, &last_seq, &last_at));
        cx->issues = (struct issues){ .arena = cx->arena };
        arena_rewind(cx->arena, mark);
        check_progress(w, "versions", ++w->report->versions, total);
    }
}

/* --- idents --- */

static void check_ident(struct check_work *w, struct db_stmt *stmt)
{
    enum { RID, VID, SEQ, DELETED, ID, V_VID, V_METHOD, V_RID, COUNT_, MAX_ };
    long long rid = db_int(stmt, RID), vid = db_int(stmt, VID);
    str id = db_text(stmt, ID);
    bool deleted = db_int(stmt, DELETED) != 0;
    if (!vid) { /* a mere mention */
        if (!deleted || db_int(stmt, COUNT_))
            check_fault(w, "rid %lld (id %.*s) has versions but no current one", rid, STR_ARG(id));
        return;
    }
    w->report->resources += !deleted;
    if (db_int(stmt, V_RID) != rid || db_int(stmt, V_VID) != vid)
        check_fault(w, "rid %lld (id %.*s): its current version %lld is not at seq %lld", rid,
                    STR_ARG(id), vid, (long long)db_int(stmt, SEQ));
    if (db_int(stmt, COUNT_) != vid || db_int(stmt, MAX_) != vid)
        check_fault(w, "rid %lld (id %.*s): %lld versions up to %lld, current %lld", rid,
                    STR_ARG(id), (long long)db_int(stmt, COUNT_), (long long)db_int(stmt, MAX_),
                    vid);
    if (deleted != (db_int(stmt, V_METHOD) == STORE_DELETED))
        check_fault(w, "rid %lld (id %.*s): deleted or not is in doubt", rid, STR_ARG(id));
}

static err check_idents(struct ctx *cx, struct check_work *w, int64_t *live)
{
    struct db_stmt *stmt = db_use(cx, cx->db, check_sql, ALL_IDENTS);
    for (int64_t count = 0;; count++) {
        bool row;
        TRY(db_step(cx, stmt, &row));
        if (!row)
            return ERR_OK;
        uint16_t resource = store_rid_resource(db_int(stmt, 0));
        if (resource < STORE_TYPES_MAX)
            live[resource] += db_int(stmt, 1) && !db_int(stmt, 3);
        check_ident(w, stmt);
        check_progress(w, "resources", count, 0);
    }
}

static err check_tallies(struct ctx *cx, struct check_work *w, const int64_t *live)
{
    struct db_stmt *stmt = db_use(cx, cx->db, store_sql, SQL_TALLY_ALL);
    for (;;) {
        bool row;
        TRY(db_step(cx, stmt, &row));
        if (!row)
            return ERR_OK;
        int64_t resource = db_int(stmt, 0);
        if (resource < 0 || resource >= fhir_resources_count || db_int(stmt, 2) == live[resource])
            continue;
        check_fault(w, "count of %.*s: %lld are noted, %lld are there",
                    STR_ARG(fhir_resource_name((uint16_t)resource)), (long long)db_int(stmt, 2),
                    (long long)live[resource]);
    }
}

/* --- claims --- */

static err check_claims_of(struct ctx *cx, struct check_work *w, const struct store_version *v,
                           int64_t *expected)
{
    struct json body;
    struct claims *claims = arena_zero(cx->arena, sizeof *claims);
    TRY(json_parse(cx, v->body, &body));
    TRY(claims_of(cx, w->store, v->resource, body, claims));
    for (size_t i = 0; i < claims->count; i++) {
        int64_t holder;
        TRY(claim_holder(cx, cx->db, &claims->list[i], &holder));
        *expected += holder == v->rid;
        if (holder != v->rid)
            check_fault(w, "claim \"%s\" %.*s of %.*s/%.*s is %s", claims->list[i].kind,
                        STR_ARG(claims->list[i].key), STR_ARG(fhir_resource_name(v->resource)),
                        STR_ARG(v->id), holder ? "held by another" : "not held");
    }
    return ERR_OK;
}

static bool has_rule(const struct store *store, uint16_t resource)
{
    for (const struct claim_rule *const *rule = store->claim_rules; *rule; rule++)
        if (str_eq(fhir_resource_name(resource), str_of((*rule)->resource)))
            return true;
    return false;
}

static err check_claims_of_type(struct ctx *cx, struct check_work *w, uint16_t resource,
                                int64_t *expected)
{
    struct store_scan scan = { .resource = resource, .count = 200 };
    struct store_versions page = { .more = true };
    while (page.more) {
        struct arena_mark mark = arena_mark(cx->arena);
        TRY(store_scan(cx, w->store, &scan, &page));
        for (size_t i = 0; i < page.count; i++)
            TRY(check_claims_of(cx, w, &page.list[i], expected));
        if (page.count)
            scan.after_rid = page.list[page.count - 1].rid;
        arena_rewind(cx->arena, mark);
    }
    return ERR_OK;
}

static err check_claims(struct ctx *cx, struct check_work *w)
{
    int64_t expected = 0;
    struct db_stmt *stmt = db_use(cx, cx->db, check_sql, ALL_CLAIMS);
    bool row;
    if (!w->store->claim_rules)
        return ERR_OK;
    for (uint16_t r = 0; r < fhir_resources_count; r++)
        if (has_rule(w->store, r))
            TRY(check_claims_of_type(cx, w, r, &expected));
    do {
        TRY(db_step(cx, stmt, &row));
        w->report->claims += row;
    } while (row);
    if (w->report->claims > expected)
        check_fault(w, "claims: %lld are held, but only %lld have a resource that makes them",
                    (long long)w->report->claims, (long long)expected);
    return ERR_OK;
}

static err check_all(struct ctx *cx, struct check_work *w)
{
    int64_t *live = arena_array(cx->arena, STORE_TYPES_MAX, sizeof *live);
    TRY(check_file(cx, w));
    TRY(check_versions(cx, w));
    TRY(check_idents(cx, w, live));
    TRY(check_tallies(cx, w, live));
    TRY(check_claims(cx, w));
    return check_index(cx, w);
}

err store_check(struct ctx *cx, struct store *store, const struct check_options *options,
                struct check_report *out)
{
    struct arena texts = arena_make(1 << 20);
    struct check_work w = { store, out, *options, &texts };
    *out = (struct check_report){ 0 };
    TRY(store_reader(cx, store));
    err wrong = check_all(cx, &w);
    int64_t kept = out->faults_count < CHECK_FAULTS_MAX ? out->faults_count : CHECK_FAULTS_MAX;
    for (int64_t i = 0; i < kept; i++)
        out->faults[i] = arena_copy(cx->arena, out->faults[i]);
    arena_free(&texts);
    return wrong;
}
