/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/bulk_work.h"
#include "json/write.h"

static void put_number(struct json_writer *w, const char *key, int64_t value)
{
    json_key(w, key);
    json_i64(w, value);
}

static void put_access(struct json_writer *w, const struct store_access *access)
{
    json_key(w, "access");
    json_open(w, '{');
    json_put_bool(w, "any", access->any_patient);
    json_key(w, "types");
    json_open(w, '[');
    for (size_t i = 0; i < ACCESS_TYPES_WORDS; i++)
        json_u64(w, access->types[i]);
    json_close(w, ']');
    json_key(w, "pids");
    json_open(w, '[');
    for (size_t i = 0; i < access->pids_count; i++)
        json_i64(w, access->pids[i]);
    json_close(w, ']');
    json_key(w, "hidden");
    json_open(w, '[');
    for (size_t i = 0; i < access->hidden_count; i++) {
        json_str(w, access->hidden[i].system);
        json_str(w, access->hidden[i].code);
    }
    json_close(w, ']');
    json_key(w, "dissents");
    json_open(w, '[');
    for (size_t i = 0; i < access->dissents_count; i++) {
        json_i64(w, access->dissents[i].pid);
        json_i64(w, access->dissents[i].resource);
    }
    json_close(w, ']');
    json_close(w, '}');
}

str bulk_spec_write(struct ctx *cx, const struct bulk_spec *spec)
{
    struct buf buf = buf_make(cx->arena, (size_t)64 << 20);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_put_bool(&w, "import", spec->is_import);
    json_put_str(&w, "url", spec->url);
    json_put_str(&w, "who", spec->who);
    json_key(&w, "types");
    json_open(&w, '[');
    for (size_t i = 0; i < ACCESS_TYPES_WORDS; i++)
        json_u64(&w, spec->types[i]);
    json_close(&w, ']');
    put_number(&w, "since", spec->since_ms);
    json_put_bool(&w, "patients", spec->patients_only);
    json_put_str(&w, "group", spec->group);
    json_put_str(&w, "elements", spec->elements);
    json_key(&w, "filters");
    json_open(&w, '[');
    for (size_t i = 0; i < spec->filters_count; i++) {
        json_str(&w, fhir_resource_name(spec->filters[i].resource));
        json_str(&w, spec->filters[i].query);
    }
    json_close(&w, ']');
    if (spec->access)
        put_access(&w, spec->access);
    json_close(&w, '}');
    return buf_str(&buf);
}

static str text_of(struct ctx *cx, struct json object, const char *key)
{
    return json_string(cx->arena, json_get(object, str_of(key)));
}

static int64_t number_of(struct ctx *cx, struct json value)
{
    int64_t number = 0;
    str_to_i64(json_string(cx->arena, value), &number);
    return number;
}

static void read_bits(struct ctx *cx, struct json list, uint64_t bits[ACCESS_TYPES_WORDS])
{
    for (size_t i = 0; i < ACCESS_TYPES_WORDS; i++)
        str_to_u64(json_string(cx->arena, json_at(list, i)), &bits[i]);
}

static void read_dissents(struct ctx *cx, struct json json, struct store_access *access)
{
    size_t count = json_count(json) / 2;
    struct access_dissent *list = arena_array(cx->arena, count + 1, sizeof *list);
    for (size_t i = 0; i < count; i++)
        list[i] = (struct access_dissent){ number_of(cx, json_at(json, 2 * i)),
                                           (uint16_t)number_of(cx, json_at(json, 2 * i + 1)) };
    access->dissents = list;
    access->dissents_count = count;
}

static const struct store_access *read_access(struct ctx *cx, struct json json)
{
    if (!json.doc)
        return NULL;
    struct json pids = json_get(json, S("pids")), hidden = json_get(json, S("hidden"));
    size_t pids_count = json_count(pids), hidden_count = json_count(hidden) / 2, n = 0;
    int64_t *list = arena_array(cx->arena, pids_count + 1, sizeof *list);
    struct access_label *labels = arena_array(cx->arena, hidden_count + 1, sizeof *labels);
    struct store_access *access = arena_zero(cx->arena, sizeof *access);
    for (struct json_walk w = json_walk(pids); json_next(&w);)
        list[n++] = number_of(cx, w.value);
    for (size_t i = 0; i < hidden_count; i++)
        labels[i] = (struct access_label){
            .system = json_string(cx->arena, json_at(hidden, 2 * i)),
            .code = json_string(cx->arena, json_at(hidden, 2 * i + 1)) };
    *access = (struct store_access){ .any_patient = json_is(json_get(json, S("any")), JSON_TRUE),
                                     .pids = list, .pids_count = pids_count, .hidden = labels,
                                     .hidden_count = hidden_count };
    read_bits(cx, json_get(json, S("types")), access->types);
    read_dissents(cx, json_get(json, S("dissents")), access);
    return access;
}

err bulk_spec_read(struct ctx *cx, str text, struct bulk_spec *out)
{
    struct json json;
    TRY(json_parse(cx, text, &json));
    *out = (struct bulk_spec){
        .is_import = json_is(json_get(json, S("import")), JSON_TRUE),
        .url = text_of(cx, json, "url"), .who = text_of(cx, json, "who"),
        .since_ms = number_of(cx, json_get(json, S("since"))),
        .patients_only = json_is(json_get(json, S("patients")), JSON_TRUE),
        .group = text_of(cx, json, "group"), .elements = text_of(cx, json, "elements"),
        .access = read_access(cx, json_get(json, S("access"))),
    };
    read_bits(cx, json_get(json, S("types")), out->types);
    struct json filters = json_get(json, S("filters"));
    for (size_t i = 0; i + 1 < json_count(filters) && out->filters_count < BULK_FILTERS_MAX; i += 2)
        out->filters[out->filters_count++] = (struct bulk_filter){
            fhir_resource_find(json_string(cx->arena, json_at(filters, i))),
            json_string(cx->arena, json_at(filters, i + 1)) };
    return ERR_OK;
}
