/* SPDX-License-Identifier: Apache-2.0 */
#include "store/test_same.h"

uint64_t same_below(struct ctx *cx, uint64_t limit)
{
    return random_below(cx->random, limit);
}

const char *same_pick(struct ctx *cx, const char *const *words, size_t count)
{
    return words[same_below(cx, count)];
}

str same_date(struct ctx *cx)
{
    unsigned year = 2019 + (unsigned)same_below(cx, 3), month = 1 + (unsigned)same_below(cx, 12);
    unsigned day = 1 + (unsigned)same_below(cx, 28), hour = (unsigned)same_below(cx, 24);
    switch (same_below(cx, 4)) {
    case 0: return arena_printf(cx->arena, "%u", year);
    case 1: return arena_printf(cx->arena, "%u-%02u", year, month);
    case 2: return arena_printf(cx->arena, "%u-%02u-%02u", year, month, day);
    default:
        return arena_printf(cx->arena, "%u-%02u-%02uT%02u:00:00%s", year, month, day, hour,
                            PICK(cx, "Z", "-01:00"));
    }
}

static str coding(struct ctx *cx)
{
    return arena_printf(cx->arena, "{%s\"code\":\"%s\"%s}",
                        PICK(cx, "\"system\":\"l\",", "\"system\":\"s\",", ""),
                        PICK(cx, "a", "b", "c", "ab"),
                        PICK(cx, "", ",\"display\":\"Heart rate\"",
                             ",\"display\":\"\xc3\x89tat\""));
}

static str concept(struct ctx *cx)
{
    str first = coding(cx), second = coding(cx);
    const char *text = PICK(cx, "", "", ",\"text\":\"heart sounds\"",
                            ",\"text\":\"Rate of heart\"");
    if (same_below(cx, 8) == 0)
        return S("{\"text\":\"Heart alone\"}");
    if (same_below(cx, 3))
        return arena_printf(cx->arena, "{\"coding\":[%.*s]%s}", STR_ARG(first), text);
    return arena_printf(cx->arena, "{\"coding\":[%.*s,%.*s]%s}", STR_ARG(first), STR_ARG(second),
                        text);
}

#define UCUM(code)                                                                                 \
    ",\"unit\":\"" code "\",\"system\":\"http://unitsofmeasure.org\",\"code\":\"" code "\""
static str quantity(struct ctx *cx)
{
    unsigned whole = (unsigned)same_below(cx, 4), tenth = (unsigned)same_below(cx, 10);
    switch (same_below(cx, 4)) {
    case 0:
        return arena_printf(cx->arena, "{\"value\":%u.%u" UCUM("g") "}", whole, tenth);
    case 1:
        return arena_printf(cx->arena, "{\"value\":%u%u50" UCUM("mg") "}", whole + 1, tenth);
    case 2:
        return arena_printf(cx->arena, "{\"value\":%u.%u,\"unit\":\"milligram\",\"system\":\"u\","
                            "\"code\":\"mg\"}", whole, tenth);
    default:
        return arena_printf(cx->arena, "{\"value\":%u.%u%s}", whole, tenth,
                            PICK(cx, "", ",\"unit\":\"mg\""));
    }
}

static str narrative(struct ctx *cx)
{
    return arena_printf(cx->arena, "\"text\":{\"status\":\"generated\",\"div\":\"<div xmlns=\\\""
                        "http://www.w3.org/1999/xhtml\\\"><b>%s</b> %s &amp; %s</div>\"},",
                        PICK(cx, "acute", "chronic", "Acute"), PICK(cx, "ward", "pain", "care"),
                        PICK(cx, "home", "pain", "\xc3\xa9tat"));
}

static str patient_body(struct ctx *cx, size_t number)
{
    str born = same_date(cx), text = narrative(cx);
    return arena_printf(cx->arena,
        "{\"resourceType\":\"Patient\",\"id\":\"p%zu\",%.*s%s%s%s\"identifier\":[{\"type\":{"
        "\"coding\":[{\"system\":\"v2\",\"code\":\"%s\"}]},\"system\":\"%s\",\"value\":\"%u\"}],"
        "\"name\":[{\"family\":\"%s\",\"given\":[\"%s\"%s]}],\"address\":[{\"city\":\"%s\"}],"
        "\"managingOrganization\":{%s},\"birthDate\":\"%.*s\"}", number,
        same_below(cx, 2) ? (int)text.n : 0, text.p,
        PICK(cx, "", "\"gender\":\"male\",", "\"gender\":\"female\","),
        PICK(cx, "", "\"active\":true,", "\"active\":false,"),
        PICK(cx, "", "", "\"multipleBirthInteger\":2,"), PICK(cx, "MR", "NH"), PICK(cx, "n", "h"),
        (unsigned)same_below(cx, 6), PICK(cx, "Abel", "\xc3\x81" "bel", "Zoe", "abc d"),
        PICK(cx, "Al", "ABE", "Zo"), PICK(cx, "", "", ",\"Abe\"", ",\"zo\",\"Moe\""),
        PICK(cx, "Leeds", "York", "East York"),
        PICK(cx, "\"reference\":\"Organization/g1\"", "\"display\":\"nobody\"",
             "\"reference\":\"http://else.org/fhir/Organization/g1\"",
             "\"reference\":\"urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0\"",
             "\"identifier\":{\"system\":\"ods\",\"value\":\"RR8\"}"),
        (int)(born.n < 10 ? born.n : 10), born.p);
}

static str encounter_body(struct ctx *cx, size_t number)
{
    str start = same_date(cx);
    return arena_printf(cx->arena,
        "{\"resourceType\":\"Encounter\",\"id\":\"e%zu\",\"status\":\"%s\",\"class\":{\"system\":"
        "\"k\",\"code\":\"%s\"},\"subject\":{\"reference\":\"Patient/p%u\"},\"period\":{\"start\":"
        "\"%.*s\"},\"location\":[{\"location\":{\"reference\":\"Location/w%u\"}}]}", number,
        PICK(cx, "planned", "finished"), PICK(cx, "IMP", "AMB"),
        (unsigned)same_below(cx, SAME_PATIENTS), STR_ARG(start),
        (unsigned)same_below(cx, SAME_LOCATIONS));
}

static str when_of(struct ctx *cx)
{
    str start = same_date(cx), second = same_date(cx);
    const char *end = PICK(cx, "2022-01", "2022-04", "2022-05-02");
    switch (same_below(cx, 8)) {
    case 0:
        return arena_printf(cx->arena, "\"effectivePeriod\":{\"start\":\"%.*s\",\"end\":\"%s\"},",
                            STR_ARG(start), end);
    case 1:
        return arena_printf(cx->arena, "\"effectivePeriod\":{\"start\":\"%.*s\"},",
                            STR_ARG(start));
    case 2:
        return arena_printf(cx->arena, "\"effectiveTiming\":{\"event\":[\"%.*s\",\"%.*s\"]},",
                            STR_ARG(start), STR_ARG(second));
    case 3: return S("");
    default:
        return arena_printf(cx->arena, "\"effectiveDateTime\":\"%.*s\",", STR_ARG(start));
    }
}

static str observation_body(struct ctx *cx, size_t number)
{
    str code = concept(cx), value = quantity(cx), part = concept(cx), amount = quantity(cx);
    str when = when_of(cx), encounter = S("");
    if (same_below(cx, 3))
        encounter = arena_printf(cx->arena, "\"encounter\":{\"reference\":\"Encounter/e%u\"},",
                                 (unsigned)same_below(cx, SAME_ENCOUNTERS));
    return arena_printf(cx->arena,
        "{\"resourceType\":\"Observation\",\"id\":\"o%zu\",\"status\":\"%s\",\"code\":%.*s,%.*s"
        "%.*s\"subject\":{\"reference\":\"%s/p%u%s\"},\"valueQuantity\":%.*s,\"component\":[{"
        "\"code\":%.*s,\"valueQuantity\":%.*s}]%s}", number,
        PICK(cx, "final", "amended", "registered"), STR_ARG(code), STR_ARG(when),
        STR_ARG(encounter), PICK(cx, "Patient", "Patient", "Patient", "Group"),
        (unsigned)same_below(cx, SAME_PATIENTS), PICK(cx, "", "", "", "/_history/1"),
        STR_ARG(value), STR_ARG(part), STR_ARG(amount),
        PICK(cx, "", ",\"note\":[{\"text\":\"acute pain, at home\"}]"));
}

static str request_body(struct ctx *cx, size_t number)
{
    str code = concept(cx), other = concept(cx);
    return arena_printf(cx->arena,
        "{\"resourceType\":\"MedicationRequest\",\"id\":\"r%zu\",\"status\":\"active\",\"intent\":"
        "\"order\",\"subject\":{\"reference\":\"Patient/p%u\"},\"contained\":[{\"resourceType\":"
        "\"Medication\",\"id\":\"m1\",\"status\":\"%s\",\"code\":%.*s},{\"resourceType\":\"%s\","
        "\"id\":\"m2\",\"code\":%.*s}]}", number, (unsigned)same_below(cx, SAME_PATIENTS),
        PICK(cx, "active", "inactive"), STR_ARG(code), PICK(cx, "Medication", "Substance"),
        STR_ARG(other));
}

static str location_body(struct ctx *cx, size_t number)
{
    return arena_printf(cx->arena,
        "{\"resourceType\":\"Location\",\"id\":\"w%zu\",\"name\":\"Ward %s\",\"position\":{"
        "\"latitude\":5%u.%u,\"longitude\":-1.%u}}", number, PICK(cx, "A", "B"),
        (unsigned)same_below(cx, 3), (unsigned)same_below(cx, 10), (unsigned)same_below(cx, 10));
}

static str list_body(struct ctx *cx, size_t number)
{
    return arena_printf(cx->arena,
        "{\"resourceType\":\"List\",\"id\":\"l%zu\",\"status\":\"current\",\"mode\":\"working\","
        "\"entry\":[{\"item\":{\"reference\":\"Patient/p%u\"}},{\"item\":{\"reference\":"
        "\"Patient/p%u\"}},{\"deleted\":true,\"item\":{\"reference\":\"Patient/p%u\"}},{\"item\":{"
        "\"reference\":\"Observation/o%u\"}}]}", number,
        (unsigned)same_below(cx, SAME_PATIENTS), (unsigned)same_below(cx, SAME_PATIENTS),
        (unsigned)same_below(cx, SAME_PATIENTS), (unsigned)same_below(cx, SAME_OBSERVATIONS));
}

static const struct {
    const char *type;
    size_t count;
    str (*body)(struct ctx *cx, size_t number);
} kinds[] = {
    { "Patient", SAME_PATIENTS, patient_body }, { "Encounter", SAME_ENCOUNTERS, encounter_body },
    { "Observation", SAME_OBSERVATIONS, observation_body },
    { "MedicationRequest", SAME_REQUESTS, request_body },
    { "Location", SAME_LOCATIONS, location_body }, { "List", SAME_LISTS, list_body },
};

static void do_it(struct same_world *w, struct commit_op *op, str text)
{
    struct ctx one = ctx_make(w->cx->arena);
    one.random = w->cx->random;
    cr_assert(record_do(&one, w->store, op) == ERR_OK, "%.*s: %.*s", STR_ARG(text),
              STR_ARG(one.issues.kept ? one.issues.list[0].text : S("")));
    ctx_release(&one);
}

static void put_text(struct same_world *w, str text, struct json *out)
{
    struct ctx *cx = w->cx;
    *out = record_json(cx, arena_cstr(cx->arena, text));
    struct commit_op op = {
        .verb = COMMIT_UPDATE, .body = *out,
        .id = json_string(cx->arena, json_get(*out, S("id"))),
        .resource = fhir_resource_find(json_string(cx->arena,
                                                   json_get(*out, S("resourceType")))),
    };
    do_it(w, &op, text);
}

void same_put(struct same_world *w, size_t at)
{
    size_t kind = 0, number = at;
    while (number >= kinds[kind].count)
        number -= kinds[kind++].count;
    struct same_doc *doc = &w->docs[at];
    doc->type = kinds[kind].type;
    put_text(w, kinds[kind].body(w->cx, number), &doc->body);
    doc->id = json_string(w->cx->arena, json_get(doc->body, S("id")));
}

void same_drop(struct same_world *w, size_t at)
{
    struct same_doc *doc = &w->docs[at];
    struct commit_op op = { .verb = COMMIT_DELETE, .id = doc->id,
                            .resource = fhir_resource_find(str_of(doc->type)) };
    if (json_is(doc->body, JSON_ABSENT))
        return;
    do_it(w, &op, doc->id);
    doc->body = (struct json){ 0 };
}

void same_fill(struct same_world *w)
{
    static const char *const fixed[] = {
        "{\"resourceType\":\"CodeSystem\",\"id\":\"cs\",\"status\":\"active\",\"content\":"
        "\"complete\",\"url\":\"l\",\"concept\":[{\"code\":\"a\",\"concept\":[{\"code\":\"b\"}]},{"
        "\"code\":\"c\"}]}",
        "{\"resourceType\":\"ValueSet\",\"id\":\"vs\",\"status\":\"active\",\"url\":"
        "\"http://x.org/vs\",\"compose\":{\"include\":[{\"system\":\"l\",\"concept\":[{\"code\":"
        "\"a\"},{\"code\":\"c\"}]}]}}",
        "{\"resourceType\":\"SearchParameter\",\"id\":\"town\",\"url\":\"http://x.org/town\","
        "\"name\":\"town\",\"status\":\"active\",\"description\":\"d\",\"code\":\"town\",\"base\":["
        "\"Patient\"],\"type\":\"string\",\"expression\":\"Patient.address.city\"}",
        "{\"resourceType\":\"Organization\",\"id\":\"g1\",\"name\":\"Trust\"}",
    };
    struct json ignored;
    for (size_t i = 0; i < COUNT(fixed); i++)
        put_text(w, str_of(fixed[i]), &ignored);
    for (size_t i = 0; i < SAME_DOCS; i++)
        same_put(w, i);
}
