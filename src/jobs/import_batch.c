/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/secret.h"
#include "base/buf.h"
#include "base/clock.h"
#include "fhir/validate.h"
#include "jobs/import_work.h"
#include <stdatomic.h>

/* What is gathered of one chunk until it is committed. */
struct work {
    struct import *import;
    struct import_chunk *chunk;
    struct ctx *cx;
    struct commit_op *ops;
    struct json *places;  /* what each op was read from, to say where when it is refused */
    size_t count, cap, places_cap;
    size_t failed;        /* the op a refused commit stumbled over */
    struct map seen;      /* "Type/id" of the ops */
    struct map names;     /* full urls of the whole bundle, as "Type/id" by place in `targets` */
    str *targets;
    size_t targets_count, targets_cap;
};
enum { BATCH_MAX = 1000 };

static void add_counts(struct import *import, const struct import_counts *more)
{
    pthread_mutex_lock(&import->queue.lock);
    import->counts.read += more->read;
    import->counts.created += more->created;
    import->counts.updated += more->updated;
    import->counts.unchanged += more->unchanged;
    import->counts.deleted += more->deleted;
    import->counts.refused += more->refused;
    pthread_mutex_unlock(&import->queue.lock);
}

static void count_read(struct work *w, int64_t count)
{
    add_counts(w->import, &(struct import_counts){ .read = count });
}

static int64_t line_of(const struct work *w, struct json at)
{
    int64_t line = w->chunk->line;
    const char *end = json_text(at).p;
    for (const char *p = w->chunk->text.p; p < end; p++)
        line += *p == '\n';
    return line;
}

/* "ward.ndjson:17 Patient/x" */
static str place_of(struct work *w, struct json resource)
{
    str type = json_string(w->cx->arena, json_get(resource, S("resourceType")));
    str id = json_string(w->cx->arena, json_get(resource, S("id")));
    return arena_printf(w->cx->arena, "%.*s:%lld%s%.*s%s%.*s", STR_ARG(w->chunk->name),
                        (long long)line_of(w, resource), type.n ? " " : "",
                        (int)(type.n > 64 ? 64 : type.n), type.p, id.n ? "/" : "",
                        (int)(id.n > 64 ? 64 : id.n), id.p);
}

/* All the ctx's issues as one line, at most three of them; then it is clean again. */
static str take_reasons(struct ctx *cx)
{
    struct buf buf = buf_make(cx->arena, 8192);
    size_t shown = cx->issues.kept > 3 ? 3 : cx->issues.kept;
    for (size_t i = 0; i < shown; i++) {
        const struct issue *issue = &cx->issues.list[i];
        if (issue->severity != ISSUE_ERROR)
            continue;
        buf_add(&buf, buf.n ? S("; ") : S(""));
        buf_add(&buf, issue->text);
        if (issue->path.n)
            buf_printf(&buf, " (%.*s)", STR_ARG(issue->path));
    }
    if (cx->issues.count > shown)
        buf_printf(&buf, "; and %zu more", cx->issues.count - shown);
    cx->issues = (struct issues){ .arena = cx->arena };
    return buf.n ? buf_str(&buf) : S("refused");
}

static void refuse(struct work *w, struct json place)
{
    import_refuse(w->import, place_of(w, place), take_reasons(w->cx));
}

static void stop(struct import *import, struct ctx *cx, err wrong)
{
    pthread_mutex_lock(&import->queue.lock);
    if (!atomic_load(&import->fault)) {
        import->fault_text = arena_copy(&import->arena, take_reasons(cx));
        atomic_store(&import->fault, (int)wrong);
    }
    pthread_mutex_unlock(&import->queue.lock);
}

/* --- ids and names --- */

/* A resource without an id gets one from its content: the same content, the same id. */
static str content_id(struct work *w, struct json resource)
{
    static const char digits[] = "0123456789abcdef";
    enum { BYTES = 16 };
    str hash = secret_sha256(w->cx->arena, json_text(resource));
    char *id = arena_alloc(w->cx->arena, 2 * BYTES);
    for (size_t i = 0; i < BYTES; i++) {
        id[2 * i] = digits[(unsigned char)hash.p[i] >> 4];
        id[2 * i + 1] = digits[(unsigned char)hash.p[i] & 15];
    }
    return (str){ id, 2 * BYTES };
}

static str id_for(struct work *w, struct json resource, str full_url)
{
    str id = json_string(w->cx->arena, json_get(resource, S("id")));
    if (id.n)
        return id;
    if (str_starts(full_url, S("urn:uuid:")))
        return str_slice(full_url, 9, full_url.n);
    return content_id(w, resource);
}

static str type_of(struct work *w, struct json resource, uint16_t *out)
{
    str type = json_string(w->cx->arena, json_get(resource, S("resourceType")));
    *out = fhir_resource_find(type);
    return type;
}

static void learn_name(struct work *w, str full_url, str type, str id)
{
    if (!full_url.n || !id.n)
        return;
    w->targets = arena_grow(w->cx->arena, w->targets, w->targets_count, &w->targets_cap,
                            sizeof *w->targets);
    w->targets[w->targets_count] = arena_printf(w->cx->arena, "%.*s/%.*s", STR_ARG(type),
                                                STR_ARG(id));
    map_add(&w->names, full_url, w->targets_count++, NULL);
}

/* Synthea's patients name hospitals and staff of other files by urn:uuid, which became their ids.
 * */
static err find_elsewhere(struct ctx *cx, struct import *import, str urn, str *out)
{
    uint16_t resource;
    uint64_t known;
    str id = str_slice(urn, 9, urn.n);
    pthread_mutex_lock(&import->queue.lock);
    bool found = map_get(&import->names, urn, &known);
    pthread_mutex_unlock(&import->queue.lock);
    if (found) {
        resource = (uint16_t)known;
    } else {
        TRY(store_find_id(cx, import->options.store, id, &resource));
        if (resource == FHIR_NONE)
            return ERR_OK;
        pthread_mutex_lock(&import->queue.lock);
        map_set(&import->names, arena_copy(&import->arena, urn), resource);
        pthread_mutex_unlock(&import->queue.lock);
    }
    *out = arena_printf(cx->arena, "%.*s/%.*s", STR_ARG(fhir_resource_name(resource)), STR_ARG(id));
    return ERR_OK;
}

err import_resolve(struct ctx *cx, const struct commit *commit, str urn, str *out)
{
    struct work *w = commit->resolve_self;
    uint64_t at;
    if (map_get(&w->names, urn, &at))
        *out = w->targets[at];
    else if (str_starts(urn, S("urn:uuid:")))
        return find_elsewhere(cx, w->import, urn, out);
    return ERR_OK;
}

/* --- committing --- */

static err run(struct work *w, struct commit_op *ops, size_t count)
{
    struct commit commit = { .ops = ops, .ops_count = count, .who = w->import->options.who,
                             .why = S("import"), .resolve = import_resolve, .resolve_self = w };
    err wrong = commit_run(w->cx, w->import->options.store, &commit);
    w->failed = commit.failed;
    TRY(wrong);
    struct import_counts counts = { 0 };
    for (size_t i = 0; i < count; i++) {
        counts.created += ops[i].outcome == COMMIT_CREATED;
        counts.updated += ops[i].outcome == COMMIT_UPDATED;
        counts.deleted += ops[i].outcome == COMMIT_DELETED;
        counts.unchanged += ops[i].outcome == COMMIT_UNCHANGED || ops[i].outcome == COMMIT_MATCHED;
    }
    add_counts(w->import, &counts);
    return ERR_OK;
}

static bool ends_import(err wrong)
{
    return wrong == ERR_IO || wrong == ERR_BUSY || wrong == ERR_BUG;
}

static void run_alone(struct work *w, size_t i)
{
    err wrong = run(w, &w->ops[i], 1);
    if (wrong && ends_import(wrong))
        stop(w->import, w->cx, wrong);
    else if (wrong)
        refuse(w, w->places[i]);
}

/* What stands for itself goes together while nothing is refused, and one by one otherwise. */
static void flush(struct work *w)
{
    err wrong = w->count ? run(w, w->ops, w->count) : ERR_OK;
    if (wrong && (w->count == 1 || ends_import(wrong))) {
        if (ends_import(wrong))
            stop(w->import, w->cx, wrong);
        else
            refuse(w, w->places[0]);
    } else if (wrong) {
        w->cx->issues = (struct issues){ .arena = w->cx->arena };
        for (size_t i = 0; i < w->count && !atomic_load(&w->import->fault); i++)
            run_alone(w, i);
    }
    w->count = 0;
    w->seen = map_make(w->cx->arena);
}

static void add_op(struct work *w, struct commit_op op, struct json place)
{
    str key = arena_printf(w->cx->arena, "%d/%.*s", op.resource, STR_ARG(op.id));
    uint64_t before;
    if (w->count == BATCH_MAX || map_get(&w->seen, key, &before))
        flush(w);
    if (op.id.n)
        map_set(&w->seen, key, w->count);
    w->ops = arena_grow(w->cx->arena, w->ops, w->count, &w->cap, sizeof *w->ops);
    w->places = arena_grow(w->cx->arena, w->places, w->count, &w->places_cap, sizeof *w->places);
    w->ops[w->count] = op;
    w->places[w->count++] = place;
}

static bool valid(struct work *w, struct json resource)
{
    if (validate_resource(w->cx, resource) == ERR_OK) {
        w->cx->issues = (struct issues){ .arena = w->cx->arena };
        return true;
    }
    refuse(w, resource);
    return false;
}

static void add_resource(struct work *w, struct json resource, str full_url)
{
    count_read(w, 1);
    if (!valid(w, resource))
        return;
    struct commit_op op = { .verb = COMMIT_UPDATE, .body = resource, .skip_unchanged = true };
    type_of(w, resource, &op.resource);
    op.id = id_for(w, resource, full_url);
    add_op(w, op, resource);
}

/* --- bundles --- */

/* A request of an entry as an operation; the reason why not in the ctx. */
static err read_request(struct work *w, struct json entry, struct commit_op *out)
{
    struct arena *arena = w->cx->arena;
    struct json request = json_get(entry, S("request")), resource = json_get(entry, S("resource"));
    str method = json_string(arena, json_get(request, S("method")));
    str url = json_string(arena, json_get(request, S("url")));
    size_t mark = str_find_char(url, '?');
    str path = str_slice(url, 0, mark), type;
    if (!str_next(&path, '/', &type))
        type = S("");
    *out = (struct commit_op){ .resource = fhir_resource_find(type), .body = resource,
                               .full_url = json_string(arena, json_get(entry, S("fullUrl"))),
                               .skip_unchanged = true, .id = path.p ? path : S("") };
    if (mark != STR_NONE)
        out->condition = str_slice(url, mark + 1, url.n);
    if (out->resource == FHIR_NONE)
        return ctx_failf(w->cx, ERR_INVALID, S("request.url"), "there is no type \"%.*s\"",
                         (int)(type.n > 64 ? 64 : type.n), type.p);
    if (str_eq(method, S("DELETE"))) {
        out->verb = COMMIT_DELETE;
        return ERR_OK;
    }
    if (!str_eq(method, S("POST")) && !str_eq(method, S("PUT")))
        return ctx_failf(w->cx, ERR_INVALID, S("request.method"),
                         "import takes POST, PUT and DELETE, not \"%.*s\"",
                         (int)(method.n > 16 ? 16 : method.n), method.p ? method.p : "");
    out->verb = COMMIT_UPDATE;
    if (str_eq(method, S("POST"))) /* done once: a second time leaves what is there */
        out->verb = COMMIT_CREATE;
    if (str_eq(method, S("PUT"))) /* an update by condition keeps the id of its body, if any */
        out->id = out->id.n ? out->id : json_string(arena, json_get(resource, S("id")));
    else
        out->id = id_for(w, resource, out->full_url);
    str condition = json_string(arena, json_get(request, S("ifNoneExist")));
    if (condition.n) {
        out->condition = str_starts(condition, S("?")) ? str_slice(condition, 1, condition.n)
                                                       : condition;
    }
    return ERR_OK;
}

static int rank(enum commit_verb verb)
{
    return verb == COMMIT_DELETE ? 0 : verb == COMMIT_CREATE ? 1 : verb == COMMIT_UPDATE ? 2 : 3;
}

/* The specification's order: deletes first, then creates, then updates. Stable. */
static void in_order(struct work *w)
{
    struct commit_op *ops = arena_array(w->cx->arena, w->count + 1, sizeof *ops);
    struct json *places = arena_array(w->cx->arena, w->count + 1, sizeof *places);
    size_t count = 0;
    for (int r = 0; r < 4; r++)
        for (size_t i = 0; i < w->count; i++)
            if (rank(w->ops[i].verb) == r) {
                ops[count] = w->ops[i];
                places[count++] = w->places[i];
            }
    w->ops = ops;
    w->places = places;
    w->cap = w->places_cap = w->count;
}

/* The entry it stumbled over is told with its reason (the faulty ones were told before); the others
 * are counted, under one line. */
static void refuse_transaction(struct work *w, bool stumbled)
{
    size_t others = w->count;
    if (stumbled && w->failed < w->count) {
        refuse(w, w->places[w->failed]);
        others--;
    }
    if (!others)
        return;
    import_refuse(w->import, w->chunk->name,
                  arena_printf(w->cx->arena, "%zu more entries of that transaction: all of it is "
                                             "refused with them", others));
    add_counts(w->import, &(struct import_counts){ .refused = (int64_t)others - 1 });
}

/* All or nothing: one faulty entry refuses the bundle, and every faulty entry is told. */
static void run_transaction(struct work *w, struct json entries)
{
    bool good = true;
    flush(w);
    for (struct json_walk walk = json_walk(entries); json_next(&walk);) {
        struct json resource = json_get(walk.value, S("resource"));
        struct json place = resource.doc ? resource : walk.value;
        struct commit_op op;
        count_read(w, 1);
        if (read_request(w, walk.value, &op)) {
            refuse(w, place);
            good = false;
            continue;
        }
        if (op.verb != COMMIT_DELETE && !valid(w, resource)) {
            good = false;
            continue;
        }
        w->ops = arena_grow(w->cx->arena, w->ops, w->count, &w->cap, sizeof *w->ops);
        w->places = arena_grow(w->cx->arena, w->places, w->count, &w->places_cap,
                               sizeof *w->places);
        w->ops[w->count] = op;
        w->places[w->count++] = place;
    }
    in_order(w);
    err wrong = good && w->count ? run(w, w->ops, w->count) : ERR_OK;
    if (wrong && ends_import(wrong))
        stop(w->import, w->cx, wrong);
    else if (wrong || !good)
        refuse_transaction(w, good);
    w->count = 0;
}

static void run_batch(struct work *w, struct json entries)
{
    for (struct json_walk walk = json_walk(entries); json_next(&walk);) {
        struct json resource = json_get(walk.value, S("resource"));
        struct json place = resource.doc ? resource : walk.value;
        struct commit_op op;
        count_read(w, 1);
        if (read_request(w, walk.value, &op))
            refuse(w, place);
        else if (op.verb == COMMIT_DELETE || valid(w, resource))
            add_op(w, op, place);
    }
}

static void learn_names(struct work *w, struct json entries)
{
    w->names = map_make(w->cx->arena);
    w->targets_count = 0;
    for (struct json_walk walk = json_walk(entries); json_next(&walk);) {
        struct json resource = json_get(walk.value, S("resource"));
        str full_url = json_string(w->cx->arena, json_get(walk.value, S("fullUrl")));
        uint16_t number;
        str type = type_of(w, resource, &number);
        if (number != FHIR_NONE)
            learn_name(w, full_url, type, id_for(w, resource, full_url));
    }
}

static void run_bundle(struct work *w, struct json bundle)
{
    struct json entries = json_get(bundle, S("entry")), type = json_get(bundle, S("type"));
    flush(w);
    learn_names(w, entries);
    if (json_string_is(type, S("transaction"))) {
        run_transaction(w, entries);
        return;
    }
    if (json_string_is(type, S("batch")))
        run_batch(w, entries);
    for (struct json_walk walk = json_walk(entries);
         !json_string_is(type, S("batch")) && json_next(&walk);) {
        struct json resource = json_get(walk.value, S("resource"));
        if (resource.doc)
            add_resource(w, resource, json_string(w->cx->arena,
                                                  json_get(walk.value, S("fullUrl"))));
    }
    flush(w);
}

/* A document Bundle is a record in itself, kept whole; the others are envelopes. */
static void run_json(struct work *w, struct json json)
{
    struct json type = json_get(json, S("type"));
    bool envelope = json_string_is(json_get(json, S("resourceType")), S("Bundle")) &&
                    !json_string_is(type, S("document")) && !json_string_is(type, S("message"));
    if (envelope)
        run_bundle(w, json);
    else
        add_resource(w, json, S(""));
}

static void run_text(struct work *w, str text, int64_t line)
{
    struct json json;
    if (!str_trim(text).n)
        return;
    if (json_parse(w->cx, text, &json) == ERR_OK) {
        run_json(w, json);
        return;
    }
    count_read(w, 1);
    import_refuse(w->import, arena_printf(w->cx->arena, "%.*s:%lld", STR_ARG(w->chunk->name),
                                          (long long)line), take_reasons(w->cx));
}

void import_chunk_run(struct import *import, struct import_chunk *chunk, struct ctx *cx)
{
    struct work w = { .import = import, .chunk = chunk, .cx = cx, .seen = map_make(cx->arena),
                      .names = map_make(cx->arena) };
    str rest = chunk->text, line;
    int64_t number = chunk->line;
    cx->now_ms = clock_now_ms();
    if (atomic_load(&import->fault))
        return;
    if (chunk->document)
        run_text(&w, chunk->text, chunk->line);
    else
        while (str_next(&rest, '\n', &line))
            run_text(&w, line, number++);
    flush(&w);
}
