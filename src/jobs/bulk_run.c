/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "jobs/bulk_work.h"
#include "jobs/export.h"
#include "jobs/import.h"
#include "json/write.h"
#include "store/search.h"
#include <sys/stat.h>

enum { FILTER_MATCHES_MAX = 5000000 };

/* What is left of a resource, and whether it is wanted at all. */
struct shaping {
    const struct bulk_spec *spec;
    struct bulk_told told;
    struct matches {
        bool filtered;
        int64_t *rids; /* ascending */
        size_t count;
    } *matches;        /* by resource */
};

static int by_rid(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* _typeFilter: several of one type are alternatives. */
static err find_matches(struct ctx *cx, struct bulk *bulk, struct shaping *shaping)
{
    for (size_t i = 0; i < shaping->spec->filters_count; i++) {
        const struct bulk_filter *filter = &shaping->spec->filters[i];
        struct matches *m = &shaping->matches[filter->resource];
        int64_t *rids = arena_array(cx->arena, FILTER_MATCHES_MAX + m->count, sizeof *rids);
        struct search_rids found = { rids + m->count, FILTER_MATCHES_MAX, 0 };
        if (m->count)
            memcpy(rids, m->rids, m->count * sizeof *rids);
        TRY(search_condition(cx, bulk->store, filter->resource, filter->query, &found));
        if (found.count == found.max)
            return ctx_fail(cx, ERR_LIMIT, S("_typeFilter"), S("matches too many resources"));
        *m = (struct matches){ true, rids, m->count + found.count };
        qsort(m->rids, m->count, sizeof *m->rids, by_rid);
    }
    return ERR_OK;
}

/* "name" or "Patient.name" of the list. */
static bool is_listed(str list, str type, str name)
{
    str item;
    while (str_next(&list, ',', &item)) {
        item = str_trim(item);
        size_t dot = str_find_char(item, '.');
        bool own = dot == STR_NONE || str_eq(str_slice(item, 0, dot), type);
        if (own && str_eq(dot == STR_NONE ? item : str_slice(item, dot + 1, item.n), name))
            return true;
    }
    return false;
}

static bool is_kept(const struct bulk_spec *spec, uint16_t resource, str name)
{
    const struct fhir_element *element = fhir_element_find(fhir_resources[resource], name);
    return str_eq(name, S("resourceType")) || str_eq(name, S("id")) || (element && element->min) ||
           is_listed(spec->elements, fhir_resource_name(resource),
                     str_starts(name, S("_")) ? str_slice(name, 1, name.n) : name);
}

#define SUBSETTED                                                                                  \
    "{\"system\":\"http://terminology.hl7.org/CodeSystem/v3-ObservationValue\","                   \
    "\"code\":\"SUBSETTED\"}"

/* meta with the mark that this is not the whole resource. */
static void put_meta(struct json_writer *w, struct ctx *cx, struct json meta)
{
    json_key(w, "meta");
    json_open(w, '{');
    for (struct json_walk walk = json_walk(meta); json_next(&walk);) {
        str name = json_string(cx->arena, walk.key);
        if (str_eq(name, S("tag")))
            continue;
        json_key_str(w, name);
        json_raw(w, json_text(walk.value));
    }
    json_key(w, "tag");
    json_open(w, '[');
    for (struct json_walk walk = json_walk(json_get(meta, S("tag"))); json_next(&walk);)
        json_raw(w, json_text(walk.value));
    json_raw(w, S(SUBSETTED));
    json_close(w, ']');
    json_close(w, '}');
}

static err cut_down(struct ctx *cx, const struct bulk_spec *spec, const struct store_version *v,
                    str *body)
{
    struct json json;
    struct buf buf = buf_make(cx->arena, v->body.n + 1024);
    struct json_writer w = json_writer(&buf);
    TRY(json_parse(cx, v->body, &json));
    json_open(&w, '{');
    for (struct json_walk walk = json_walk(json); json_next(&walk);) {
        str name = json_string(cx->arena, walk.key);
        if (str_eq(name, S("meta"))) {
            put_meta(&w, cx, walk.value);
        } else if (is_kept(spec, v->resource, name)) {
            json_key_str(&w, name);
            json_raw(&w, json_text(walk.value));
        }
    }
    json_close(&w, '}');
    *body = buf_str(&buf);
    return ERR_OK;
}

static err shape(struct ctx *cx, void *self, const struct store_version *v, str *body)
{
    struct shaping *s = self;
    const struct matches *m = &s->matches[v->resource];
    *body = (str){ 0 };
    if (m->filtered && !(m->count && bsearch(&v->rid, m->rids, m->count, sizeof *m->rids, by_rid)))
        return ERR_OK;
    TRY(bulk_note(cx, &s->told, v->pid));
    if (s->spec->elements.n)
        return cut_down(cx, s->spec, v, body);
    *body = v->body;
    return ERR_OK;
}

/* --- who and what is wanted --- */

/* The pids of a group's members, ascending. */
static err find_members(struct ctx *cx, struct bulk *bulk, str group, int64_t **out, size_t *count)
{
    struct store_version version, patient;
    struct json body;
    size_t cap = 0;
    uint16_t patients = fhir_resource_find(S("Patient"));
    *out = NULL;
    *count = 0;
    TRY(store_read(cx, bulk->store, fhir_resource_find(S("Group")), group, &version));
    TRY(json_parse(cx, version.body, &body));
    for (struct json_walk w = json_walk(json_get(body, S("member"))); json_next(&w);) {
        str name = json_string(cx->arena, json_get(json_get(w.value, S("entity")), S("reference")));
        if (json_is(json_get(w.value, S("inactive")), JSON_TRUE) ||
            !str_starts(name, S("Patient/")))
            continue;
        size_t before = cx->issues.count, kept = cx->issues.kept;
        if (store_read(cx, bulk->store, patients, str_slice(name, 8, name.n), &patient) == ERR_OK) {
            *out = arena_grow(cx->arena, *out, *count, &cap, sizeof **out);
            (*out)[(*count)++] = patient.rid;
        }
        cx->issues.count = before;
        cx->issues.kept = kept;
    }
    qsort(*out, *count, sizeof **out, by_rid);
    return ERR_OK;
}

static bool access_has(const struct store_access *access, int64_t pid)
{
    return !access || access->any_patient ||
           (access->pids_count &&
            bsearch(&pid, access->pids, access->pids_count, sizeof pid, by_rid));
}

/* The asker's filter, narrowed to the group's members. */
static err narrow(struct ctx *cx, struct bulk *bulk, const struct bulk_spec *spec,
                  const struct store_access **out)
{
    int64_t *members;
    size_t count, kept = 0;
    *out = spec->access;
    if (!spec->group.n)
        return ERR_OK;
    TRY(find_members(cx, bulk, spec->group, &members, &count));
    for (size_t i = 0; i < count; i++)
        if (access_has(spec->access, members[i]))
            members[kept++] = members[i];
    struct store_access *narrowed = arena_zero(cx->arena, sizeof *narrowed);
    if (spec->access)
        *narrowed = *spec->access;
    else
        memset(narrowed->types, 0xff, sizeof narrowed->types);
    narrowed->any_patient = false;
    narrowed->pids = members;
    narrowed->pids_count = kept;
    *out = narrowed;
    return ERR_OK;
}

static bool in_compartment(uint16_t resource)
{
    return str_eq(fhir_resource_name(resource), S("Patient")) ||
           fhir_compartment_params(S("Patient"), resource);
}

static void choose_types(const struct bulk_spec *spec, uint64_t bits[ACCESS_TYPES_WORDS])
{
    bool any = !spec->types[0] && !spec->types[1] && !spec->types[2];
    for (uint16_t r = 0; r < fhir_resources_count; r++) {
        uint64_t bit = (uint64_t)1 << (r % 64);
        bool wanted = any || (spec->types[r / 64] & bit);
        if (wanted && (!spec->patients_only || in_compartment(r)))
            bits[r / 64] |= bit;
    }
}

/* --- the work --- */

static bool go_on(void *self, int64_t resources)
{
    struct bulk *bulk = self;
    bulk->done = resources;
    return !bulk->closing && !bulk->cancel;
}

static str list_files(struct ctx *cx, const struct bulk *bulk, str id,
                      const struct export_report *report, int64_t deleted)
{
    struct buf buf = buf_make(cx->arena, 1 << 20);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '[');
    for (uint16_t r = 0; r < fhir_resources_count; r++) {
        str name = fhir_resource_name(r);
        struct stat info;
        str path = arena_printf(cx->arena, "%.*s/%.*s.ndjson",
                                STR_ARG(bulk_folder(cx, bulk, id)), STR_ARG(name));
        if (stat(path.p, &info) || !info.st_size)
            continue;
        json_open(&w, '{');
        json_put_str(&w, "type", name);
        json_put_str(&w, "file", arena_printf(cx->arena, "%.*s.ndjson", STR_ARG(name)));
        if (report->counts[r]) /* not known of a file that was whole before a restart */
            json_put_u64(&w, "count", (uint64_t)report->counts[r]);
        json_close(&w, '}');
    }
    if (deleted) {
        json_open(&w, '{');
        json_put_str(&w, "type", S("Bundle"));
        json_put_str(&w, "file", S("deleted.ndjson"));
        json_put_u64(&w, "count", (uint64_t)deleted);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    return buf_str(&buf);
}

static int64_t count_live(struct ctx *cx, struct bulk *bulk, const uint64_t *bits)
{
    int64_t *live = arena_array(cx->arena, fhir_resources_count, sizeof *live), total = 0;
    if (store_counts(cx, bulk->store, live))
        return 0;
    for (uint16_t r = 0; r < fhir_resources_count; r++)
        total += bits[r / 64] >> (r % 64) & 1 ? live[r] : 0;
    return total;
}

err bulk_run_export(struct ctx *cx, struct bulk *bulk, str id, const struct bulk_spec *spec,
                    str *output)
{
    uint64_t types[ACCESS_TYPES_WORDS] = { 0 };
    struct shaping shaping = { .spec = spec, .told = { bulk, spec, .arena = cx->arena } };
    struct export_options options = { .store = bulk->store, .folder = bulk_folder(cx, bulk, id),
                                      .types = types, .since_ms = spec->since_ms, .threads = 1,
                                      .keep_files = true, .progress = go_on, .self = bulk,
                                      .shape = shape, .shape_self = &shaping };
    struct export_report report;
    int64_t deleted = 0;
    shaping.matches = arena_array(cx->arena, fhir_resources_count, sizeof *shaping.matches);
    choose_types(spec, types);
    bulk->total = count_live(cx, bulk, types);
    cx->access = spec->access;
    TRY(narrow(cx, bulk, spec, &options.access));
    TRY(find_matches(cx, bulk, &shaping));
    if (!spec->elements.n && !spec->filters_count && !bulk->audit)
        options.shape = NULL;
    TRY(export_run(cx, &options, &report));
    TRY(bulk_note_end(cx, &shaping.told));
    cx->access = options.access;
    if (spec->since_ms)
        TRY(bulk_write_deleted(cx, bulk, id, types, spec->since_ms, &deleted));
    *output = list_files(cx, bulk, id, &report, deleted);
    return ERR_OK;
}

static bool import_go_on(void *self, const struct import_counts *counts)
{
    return go_on(self, counts->read);
}

static void put_outcome(struct buf *buf, const struct import_refusal *refusal)
{
    struct json_writer w = json_writer(buf);
    json_raw(&w, S("{\"resourceType\":\"OperationOutcome\",\"issue\":[{\"severity\":\"error\","
                   "\"code\":\"invalid\",\"diagnostics\":\""));
    json_escape(buf, refusal->where);
    json_escape(buf, S(": "));
    json_escape(buf, refusal->what);
    buf_add(buf, S("\"}]}\n"));
}

/* The refused, a line each, as the Bulk Data guide asks of errors. */
static err write_refusals(struct ctx *cx, str path, const struct import_report *report)
{
    struct buf buf = buf_make(cx->arena, (size_t)64 << 20);
    for (size_t i = 0; i < report->refusals_count; i++)
        put_outcome(&buf, &report->refusals[i]);
    FILE *file = fopen(path.p, "w");
    bool good = file && fwrite(buf.p ? buf.p : "", 1, buf.n, file) == buf.n;
    if (file && fclose(file))
        good = false;
    return good ? ERR_OK : ctx_fail(cx, ERR_IO, (str){ 0 }, S("the report cannot be written"));
}

err bulk_run_import(struct ctx *cx, struct bulk *bulk, str id, const struct bulk_spec *spec,
                    str *output)
{
    struct import_options options = { .store = bulk->store, .threads = 2, .who = spec->who,
                                      .progress = import_go_on, .self = bulk };
    struct import *import;
    struct import_report report;
    str folder = bulk_folder(cx, bulk, id);
    TRY(import_start(cx, &options, &import));
    err wrong = import_file(cx, import, arena_printf(cx->arena, "%.*s/input.ndjson",
                                                     STR_ARG(folder)));
    err fault = import_finish(cx, import, &report);
    TRY(wrong ? wrong : fault);
    const struct import_counts *c = &report.counts;
    *output = arena_printf(cx->arena,
        "[{\"type\":\"OperationOutcome\",\"file\":\"errors.ndjson\",\"count\":%lld,\"read\":%lld,"
        "\"created\":%lld,\"updated\":%lld,\"unchanged\":%lld}]", (long long)c->refused,
        (long long)c->read, (long long)c->created, (long long)c->updated,
        (long long)c->unchanged);
    return write_refusals(cx, arena_printf(cx->arena, "%.*s/errors.ndjson", STR_ARG(folder)),
                          &report);
}
