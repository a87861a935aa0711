/* SPDX-License-Identifier: Apache-2.0 */
#include "clinical/nhsno.h"
#include "hl7v2/stamp.h"
#include "store/merge.h"
#include "store/search.h"

#define NHS_NUMBER "https://fhir.nhs.uk/Id/nhs-number"

/* ---- who it is ---- */

struct identity {
    str system, value;
    bool known; /* some record has it, perhaps one that was merged away */
};
enum { IDENTITIES_MAX = 20 };

static err read_identities(struct hl7_work *work, const struct hl7_segment *segment, int field,
                           struct identity *out, size_t *count)
{
    struct arena *arena = work->cx->arena;
    int many = hl7_repetitions(work->message, segment, field);
    *count = 0;
    for (int i = 0; i < many && *count < IDENTITIES_MAX; i++) {
        struct hl7_place at = { field, i, 1, 0 };
        str value = hl7_text(arena, work->message, segment, at);
        at.component = 5;
        str type = hl7_text(arena, work->message, segment, at);
        at.component = 4;
        at.subcomponent = 1;
        str authority = hl7_text(arena, work->message, segment, at);
        if (!value.n)
            continue;
        struct identity one = { hl7_sender_system(arena, work->sender, work->message->facility,
                                                  authority, type), value, false };
        if (str_eq(one.system, S(NHS_NUMBER)) && nhsno_parse(work->cx, value, &one.value))
            return hl7_refuse(work, 204, "PID-3", "\"%.*s\" is not a possible NHS number",
                              STR_ARG(value));
        out[(*count)++] = one;
        if (work->people_count < HL7_PEOPLE_MAX)
            work->people[work->people_count++] = arena_printf(arena, "%.*s|%.*s",
                                                              STR_ARG(one.system),
                                                              STR_ARG(one.value));
    }
    if (*count == 0)
        return hl7_refuse(work, 101, field == 3 ? "PID-3" : "MRG-1",
                          "a patient identifier must be given");
    return ERR_OK;
}

err hl7_map_people(struct hl7_work *work)
{
    struct identity ignored[IDENTITIES_MAX];
    const struct hl7_segment *mrg = hl7_segment(work->message, "MRG");
    size_t count;
    TRY(read_identities(work, work->pid, 3, ignored, &count));
    return mrg ? read_identities(work, mrg, 1, ignored, &count) : ERR_OK;
}

/* The reference of who replaced it, and when that was said; INT64_MIN: it was not. */
static str replaced_by(struct hl7_work *work, struct json patient, int64_t *at_ms)
{
    str survivor = { 0 };
    *at_ms = INT64_MIN;
    for (struct json_walk w = json_walk(json_get(patient, S("link"))); json_next(&w);) {
        if (!json_string_is(json_get(w.value, S("type")), S("replaced-by")))
            continue;
        struct json said = json_at(json_get(w.value, S("extension")), 0);
        str at = json_string(work->cx->arena, json_get(said, S("valueInstant")));
        survivor = json_string(work->cx->arena,
                               json_get(json_get(w.value, S("other")), S("reference")));
        if (at.n)
            hl7_instant(at, at_ms);
    }
    return survivor;
}

err hl7_follow(struct hl7_work *work, struct hl7_found *found, struct hl7_way *way,
               struct hl7_found *own)
{
    bool later = true; /* than each merge so far */
    for (int steps = 0; steps < HL7_WAY_MAX; steps++) {
        int64_t merged_ms;
        str reference = replaced_by(work, found->body, &merged_ms), type, id = reference;
        if (own && later)
            *own = *found;
        later = later && work->event_ms >= merged_ms;
        if (!str_given(reference))
            return ERR_OK;
        if (way)
            way->steps[way->count++] = found->reference;
        str_next(&id, '/', &type);
        TRY(store_read(work->cx, work->store, fhir_resource_find(S("Patient")), id,
                       &found->version));
        TRY(json_parse(work->cx, found->version.body, &found->body));
        found->reference = reference;
    }
    return hl7_refuse(work, 204, "PID-3", "the patient's records replace one another in a circle");
}

struct person {
    struct hl7_found found; /* who it is now */
    struct hl7_found own;   /* whom a message of its time speaks of: the same, but for one that was
                               merged away since */
    struct hl7_way way;     /* from the record named to found */
};

static err find_patient(struct hl7_work *work, struct identity *list, size_t count,
                        struct person *out)
{
    *out = (struct person){ 0 };
    for (size_t i = 0; i < count; i++) {
        struct hl7_found one, own;
        struct hl7_way way = { 0 };
        TRY(hl7_find(work, "Patient", list[i].system, list[i].value, &one));
        list[i].known = one.found;
        if (!one.found)
            continue;
        TRY(hl7_follow(work, &one, &way, &own));
        if (out->found.found && out->found.version.rid != one.version.rid)
            return hl7_refuse(work, 204, "PID-3", "the identifiers belong to different patients");
        if (!out->found.found || !way.count)
            *out = (struct person){ one, own, way };
    }
    return ERR_OK;
}

/* ---- what is said about them ---- */

static void put_identifier(struct json_writer *w, struct identity one)
{
    json_open(w, '{');
    json_put_str(w, "system", one.system);
    json_put_str(w, "value", one.value);
    json_close(w, '}');
}

static bool has_identity(struct json patient, struct identity one)
{
    for (struct json_walk w = json_walk(json_get(patient, S("identifier"))); json_next(&w);)
        if (json_string_is(json_get(w.value, S("system")), one.system) &&
            json_string_is(json_get(w.value, S("value")), one.value))
            return true;
    return false;
}

/* Those there already are kept: a feed that leaves one out does not know it is wrong. What the
 * record that was merged away has stays there, and leads here. */
static str identifiers(struct hl7_work *work, struct json before, const struct identity *list,
                       size_t count)
{
    struct buf buf = hl7_buf(work);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '[');
    for (struct json_walk old = json_walk(json_get(before, S("identifier"))); json_next(&old);)
        json_raw(&w, json_text(old.value));
    for (size_t i = 0; i < count; i++)
        if (!list[i].known && !has_identity(before, list[i]))
            put_identifier(&w, list[i]);
    json_close(&w, ']');
    return buf_str(&buf);
}

/* XPN: family, given, further given, suffix, prefix, degree, type. */
static void put_name(struct hl7_work *work, struct json_writer *w, int repetition)
{
    struct arena *arena = work->cx->arena;
    str part[8] = { 0 };
    for (int i = 1; i <= 7; i++)
        part[i] = hl7_text(arena, work->message, work->pid,
                           (struct hl7_place){ 5, repetition, i, i == 1 ? 1 : 0 });
    str use = hl7_sender_code(arena, work->sender, "name", part[7].n ? part[7] : S("L"));
    if (!part[1].n && !part[2].n)
        return;
    json_open(w, '{');
    json_put_str(w, "use", use);
    if (part[1].n)
        json_put_str(w, "family", part[1]);
    static const struct { const char *key; int first, last; } lists[] = {
        { "given", 2, 3 }, { "prefix", 5, 5 }, { "suffix", 4, 4 },
    };
    for (size_t i = 0; i < COUNT(lists); i++) {
        bool any = part[lists[i].first].n || part[lists[i].last].n;
        if (any) {
            json_key(w, lists[i].key);
            json_open(w, '[');
            for (int k = lists[i].first; k <= lists[i].last; k++)
                if (part[k].n)
                    json_str(w, part[k]);
            json_close(w, ']');
        }
    }
    json_close(w, '}');
}

/* XAD: street, other, town, county, post code, country, type. */
static void put_address(struct hl7_work *work, struct json_writer *w, int repetition)
{
    struct arena *arena = work->cx->arena;
    str part[8] = { 0 };
    bool any = false;
    for (int i = 1; i <= 7; i++) {
        part[i] = hl7_text(arena, work->message, work->pid,
                           (struct hl7_place){ 11, repetition, i, i == 1 ? 1 : 0 });
        any = any || (i < 7 && part[i].n);
    }
    if (!any)
        return;
    json_open(w, '{');
    json_put_str(w, "use", hl7_sender_code(arena, work->sender, "address", part[7]));
    if (part[1].n || part[2].n) {
        json_key(w, "line");
        json_open(w, '[');
        for (int i = 1; i <= 2; i++)
            if (part[i].n)
                json_str(w, part[i]);
        json_close(w, ']');
    }
    static const struct { const char *key; int at; } rest[] = {
        { "city", 3 }, { "district", 4 }, { "postalCode", 5 }, { "country", 6 },
    };
    for (size_t i = 0; i < COUNT(rest); i++)
        if (part[rest[i].at].n)
            json_put_str(w, rest[i].key, part[rest[i].at]);
    json_close(w, '}');
}

/* A list made of a field's repetitions; "" when the field says delete. */
static str list_of(struct hl7_work *work, int field,
                   void (*put)(struct hl7_work *, struct json_writer *, int))
{
    struct buf buf = hl7_buf(work);
    struct json_writer w = json_writer(&buf);
    str whole = hl7_field(work, work->pid, field, 0);
    if (!whole.n)
        return whole;
    json_open(&w, '[');
    for (int i = 0; i < hl7_repetitions(work->message, work->pid, field); i++)
        put(work, &w, i);
    json_close(&w, ']');
    return buf.n > 2 ? buf_str(&buf) : (str){ 0 };
}

static const struct {
    int field;
    const char *use, *part;
} phones[] = { { 13, "home", "telecom-home" }, { 14, "work", "telecom-work" } };

/* Those of a use that the message says nothing about, and of uses it cannot speak of. */
static void keep_telecom(struct json_writer *w, struct json before,
                         const bool said[COUNT(phones)])
{
    for (struct json_walk old = json_walk(json_get(before, S("telecom"))); json_next(&old);) {
        bool kept = true;
        for (size_t f = 0; f < COUNT(phones); f++)
            if (json_string_is(json_get(old.value, S("use")), str_of(phones[f].use)))
                kept = !said[f];
        if (kept)
            json_raw(w, json_text(old.value));
    }
}

static void put_phone(struct hl7_work *work, struct json_writer *w, struct hl7_place at,
                      const char *use)
{
    at.component = 1;
    str number = hl7_text(work->cx->arena, work->message, work->pid, at);
    at.component = 4;
    str mail = hl7_text(work->cx->arena, work->message, work->pid, at);
    if (!number.n && !mail.n)
        return;
    json_open(w, '{');
    json_put_str(w, "system", mail.n ? S("email") : S("phone"));
    json_put_str(w, "value", mail.n ? mail : number);
    json_put_str(w, "use", str_of(use));
    json_close(w, '}');
}

/* PID-13 home and PID-14 work are one list in FHIR, and two things said. */
static str telecom(struct hl7_work *work, struct json before, struct hl7_stamps *stamps)
{
    struct buf buf = hl7_buf(work);
    struct json_writer w = json_writer(&buf);
    bool said[COUNT(phones)], any = false;
    for (size_t f = 0; f < COUNT(phones); f++) {
        said[f] = str_given(hl7_field(work, work->pid, phones[f].field, 0)) &&
                  hl7_stamps_take(work, stamps, phones[f].part);
        any = any || said[f];
    }
    if (!any)
        return (str){ 0 };
    json_open(&w, '[');
    keep_telecom(&w, before, said);
    for (size_t f = 0; f < COUNT(phones); f++)
        for (int i = 0; said[f] && i < hl7_repetitions(work->message, work->pid, phones[f].field);
             i++)
            put_phone(work, &w, (struct hl7_place){ phones[f].field, i, 0, 0 }, phones[f].use);
    json_close(&w, ']');
    return buf.n > 2 ? buf_str(&buf) : S("");
}

static str birth_date(struct hl7_work *work)
{
    str text = hl7_field(work, work->pid, 7, 1);
    return text.n ? hl7_json_text(work, hl7_time(work, str_slice(text, 0, 8))) : text;
}

/* A date that is none is not passed over in silence: what was sent stands beside the birth date,
 * and where there is no other, its absence has a reason. A good one takes such a mark away. */
static str birth_mark(struct hl7_work *work, struct json before)
{
    str text = hl7_field(work, work->pid, 7, 1);
    bool good = str_given(hl7_time(work, str_slice(text, 0, 8)));
    if (!text.n || good)
        return good ? S("") : (str){ 0 };
    struct buf buf = hl7_buf(work);
    buf_add(&buf, S("{\"extension\":["));
    if (json_kind(json_get(before, S("birthDate"))) == JSON_ABSENT)
        buf_add(&buf, S("{\"url\":\"http://hl7.org/fhir/StructureDefinition/data-absent-reason\","
                        "\"valueCode\":\"error\"},"));
    buf_printf(&buf, "{\"url\":\"" HL7_AS_SENT "\","
                     "\"valueString\":%.*s}]}", STR_ARG(hl7_json_text(work, text)));
    return buf_str(&buf);
}

static str gender(struct hl7_work *work)
{
    str code = hl7_field(work, work->pid, 8, 1);
    str said = hl7_sender_code(work->cx->arena, work->sender, "gender", code);
    return code.n ? hl7_json_text(work, said.n ? said : S("unknown")) : code;
}

/* A code of no table is not passed over in silence, either; a known one takes the mark away. */
static str gender_mark(struct hl7_work *work)
{
    str code = hl7_field(work, work->pid, 8, 1);
    if (!code.n || hl7_sender_knows(work->sender, "gender", code))
        return code.n ? S("") : code;
    return arena_printf(work->cx->arena, "{\"extension\":[{\"url\":\"" HL7_AS_SENT "\","
                        "\"valueString\":%.*s}]}", STR_ARG(hl7_json_text(work, code)));
}

/* PID-30 says that, PID-29 when. */
static void deceased(struct hl7_work *work, struct hl7_change *flag, struct hl7_change *when)
{
    str died = hl7_field(work, work->pid, 30, 1);
    str at = hl7_time(work, hl7_field(work, work->pid, 29, 1));
    if (str_given(at)) {
        when->json = hl7_json_text(work, at);
        flag->json = S("");
    } else if (str_eq(died, S("Y")) || str_eq(died, S("N"))) {
        flag->json = str_eq(died, S("Y")) ? S("true") : S("false");
        if (str_eq(died, S("N")))
            when->json = S("");
    }
}

/* All that PID says, each part unless a later message has said it. */
static err write_patient(struct hl7_work *work, const struct identity *list, size_t count,
                         struct hl7_found *found)
{
    struct hl7_stamps stamps;
    hl7_stamps_read(work, found->body, &stamps);
    struct hl7_change changes[] = {
        { "extension", { 0 }, NULL },
        { "identifier", identifiers(work, found->body, list, count), NULL },
        { "active", found->found ? (str){ 0 } : S("true"), NULL },
        { "name", list_of(work, 5, put_name), "name" },
        { "telecom", telecom(work, found->body, &stamps), NULL },
        { "gender", gender(work), "gender" },
        { "_gender", gender_mark(work), "gender" },
        { "birthDate", birth_date(work), "birthDate" },
        { "_birthDate", birth_mark(work, found->body), "birthDate" },
        { "deceasedBoolean", { 0 }, "deceased" },
        { "deceasedDateTime", { 0 }, "deceased" },
        { "address", list_of(work, 11, put_address), "address" },
        { 0 },
    };
    deceased(work, &changes[9], &changes[10]);
    return hl7_put_stamped(work, "Patient", (struct hl7_name){ list[0].system, list[0].value },
                           changes, &stamps, found);
}

err hl7_map_patient(struct hl7_work *work, bool create)
{
    struct identity list[IDENTITIES_MAX];
    struct person person;
    size_t count;
    if (!work->pid)
        return hl7_refuse(work, 100, "PID", "the message must have a PID segment");
    TRY(read_identities(work, work->pid, 3, list, &count));
    TRY(find_patient(work, list, count, &person));
    if (!person.found.found && !(create && work->sender->create_unmatched))
        return hl7_refuse(work, 204, "PID-3", "no patient has this identifier");
    work->patient = person.found.reference;
    work->subject = person.found;
    work->way = person.way;
    if (person.found.found && !create)
        return ERR_OK; /* a result changes nothing about the person */
    bool survivor = str_eq(person.own.reference, person.found.reference);
    struct hl7_found *about = survivor ? &person.found : &person.own;
    work->new_patient = !person.found.found;
    TRY(write_patient(work, list, count, about));
    if (survivor)
        work->patient = person.found.reference;
    return ERR_OK;
}

/* ---- A40: PID survives, MRG-1 is retired ---- */

/* ---- what the two records say differently, for somebody to look at ---- */

enum { FACTS_MAX = 200 };
struct facts {
    str list[FACTS_MAX]; /* code or words */
    size_t count;
};

static str fact_of(struct hl7_work *work, struct json body, const char *element)
{
    struct arena *arena = work->cx->arena;
    struct json concept = json_get(body, str_of(element));
    str text = json_string(arena, json_get(concept, S("text")));
    str code = json_string(arena, json_get(json_at(json_get(concept, S("coding")), 0),
                                           S("code")));
    str shown = json_string(arena, json_get(json_at(json_get(concept, S("coding")), 0),
                                            S("display")));
    return text.n ? text : shown.n ? shown : code;
}

static err facts_of(struct hl7_work *work, const char *type, str query, struct facts *out)
{
    int64_t rids[FACTS_MAX];
    struct search_rids found = { .rids = rids, .max = FACTS_MAX };
    bool allergies = strcmp(type, "AllergyIntolerance") == 0;
    out->count = 0;
    TRY(search_condition(work->cx, work->store, fhir_resource_find(str_of(type)), query, &found));
    for (size_t i = 0; i < found.count; i++) {
        struct store_version version;
        struct json body;
        TRY(store_read_rid(work->cx, work->store, rids[i], &version));
        TRY(json_parse(work->cx, version.body, &body));
        str fact = fact_of(work, body, allergies ? "code" : "valueCodeableConcept");
        if (fact.n)
            out->list[out->count++] = fact;
    }
    return ERR_OK;
}

static bool has_fact(const struct facts *facts, str fact)
{
    for (size_t i = 0; i < facts->count; i++)
        if (str_eq_nocase(facts->list[i], fact))
            return true;
    return false;
}

/* Adds what `there` says and `here` does not. */
static void add_missing(struct buf *out, const char *what, const struct facts *here,
                        const struct facts *there)
{
    bool any = false;
    for (size_t i = 0; i < there->count; i++) {
        if (has_fact(here, there->list[i]))
            continue;
        buf_printf(out, "%s%s%.*s", any ? ", " : out->n ? "; " : "", any ? "" : what,
                   STR_ARG(there->list[i]));
        any = true;
    }
}

/* Allergies known of the retired record alone, and two blood groups: H-045. */
static err differences(struct hl7_work *work, str survivor, str retired, str *out)
{
    static const char allergy[] = "patient=%.*s&verification-status:not=entered-in-error";
    static const char group[] = "patient=%.*s&code=http://loinc.org%%7C882-1,http://loinc.org"
                                "%%7C883-9&status:not=entered-in-error";
    struct arena *arena = work->cx->arena;
    struct facts here, there;
    struct buf buf = hl7_buf(work);
    TRY(facts_of(work, "AllergyIntolerance", arena_printf(arena, allergy, STR_ARG(survivor)),
                 &here));
    TRY(facts_of(work, "AllergyIntolerance", arena_printf(arena, allergy, STR_ARG(retired)),
                 &there));
    add_missing(&buf, "allergies there that are not here: ", &here, &there);
    TRY(facts_of(work, "Observation", arena_printf(arena, group, STR_ARG(survivor)), &here));
    TRY(facts_of(work, "Observation", arena_printf(arena, group, STR_ARG(retired)), &there));
    if (here.count)
        add_missing(&buf, "another blood group there: ", &here, &there);
    *out = buf_str(&buf);
    return ERR_OK;
}

/* A warning on the survivor's record until somebody takes it away. */
static err flag_differences(struct hl7_work *work, str survivor, str retired)
{
    struct arena *arena = work->cx->arena;
    struct hl7_found found = { 0 };
    str system = S("https://frontline.example/Id/hl7v2-merge"), differ;
    str value = arena_printf(arena, "%.*s %.*s", STR_ARG(survivor), STR_ARG(retired));
    TRY(differences(work, survivor, retired, &differ));
    if (!differ.n)
        return ERR_OK;
    TRY(hl7_find(work, "Flag", system, value, &found));
    str text = arena_printf(arena, "Merged with %.*s, %.*s. Look at both records.",
                            STR_ARG(retired), STR_ARG(differ));
    struct hl7_change changes[] = {
        { "identifier", hl7_json_identifier(work, system, value), NULL },
        { "status", S("\"active\""), NULL },
        { "category", S("[{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/"
                        "flag-category\",\"code\":\"safety\"}]}]"), NULL },
        { "code", arena_printf(arena, "{\"text\":%.*s}", STR_ARG(hl7_json_text(work, text))),
          NULL },
        { "subject", hl7_json_reference(work, survivor), NULL },
        { 0 },
    };
    return hl7_put(work, "Flag", system, value, changes, &found);
}

/* Between the records they were at that time; the references go to who survives now. */
static err add_merge(struct hl7_work *work, const struct person *survivor,
                     const struct person *retired)
{
    struct merge *merge = arena_zero(work->cx->arena, sizeof *merge);
    const struct hl7_way *way = &survivor->way;
    str *onward = arena_array(work->cx->arena, HL7_WAY_MAX + 1, sizeof *onward);
    size_t at = 0, count = 0;
    while (at < way->count && !str_eq(way->steps[at], survivor->own.reference))
        at++;
    for (size_t i = at + 1; i < way->count; i++)
        onward[count++] = way->steps[i];
    if (at < way->count)
        onward[count++] = survivor->found.reference;
    *merge = (struct merge){ .source = retired->found.reference,
                             .target = survivor->own.reference,
                             .source_vid = retired->found.version.vid,
                             .target_vid = survivor->own.version.vid, .onward = onward,
                             .onward_count = count, .said_at = work->event_time };
    TRY(merge_prepare(work->cx, work->store, merge));
    work->merge = merge;
    work->ops = merge->ops;
    work->ops_count = merge->count;
    work->ops_cap = merge->cap;
    return ERR_OK;
}

err hl7_map_merge(struct hl7_work *work)
{
    const struct hl7_segment *mrg = hl7_segment(work->message, "MRG");
    struct identity kept[IDENTITIES_MAX], gone[IDENTITIES_MAX];
    size_t kept_count, gone_count;
    struct person survivor, retired;
    if (!work->pid || !mrg)
        return hl7_refuse(work, 100, "MRG", "a merge must have PID and MRG segments");
    TRY(read_identities(work, work->pid, 3, kept, &kept_count));
    TRY(read_identities(work, mrg, 1, gone, &gone_count));
    TRY(find_patient(work, kept, kept_count, &survivor));
    if (!survivor.found.found)
        return hl7_refuse(work, 204, "PID-3", "the patient who is to survive is not known");
    TRY(find_patient(work, gone, gone_count, &retired));
    if (!retired.found.found)
        return hl7_refuse(work, 204, "MRG-1", "the patient who is to be merged is not known");
    work->patient = survivor.found.reference;
    work->new_patient = true; /* what is on hold for either may be taken now */
    if (survivor.found.version.rid == retired.found.version.rid)
        return ERR_OK; /* merged already */
    hl7_wait_for(work, survivor.found.reference);
    hl7_wait_for(work, retired.found.reference);
    TRY(add_merge(work, &survivor, &retired));
    return flag_differences(work, survivor.found.reference, retired.found.reference);
}
