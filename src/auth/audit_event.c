/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/audit.h"
#include "base/clock.h"
#include "json/write.h"

/*
 * An entry as text, and as a FHIR AuditEvent.
 *
 *   ["2026-11-22T08:00:00.000Z","a.khan","Practitioner/7","nurse","read","Patient/1",0,"r-17",
 *    "10.0.0.4","","","TREAT","",[4294967297],false]
 */
enum { TEXT_MAX_BYTES = 64 * 1024, WHAT_MAX = 2000, FIELD_MAX = 500, EVENT_MAX_BYTES = 1 << 20 };
enum { F_AT, F_WHO, F_PERSON, F_ROLE, F_ACT, F_WHAT, F_OUTCOME, F_REQUEST, F_ADDRESS, F_CLIENT,
       F_BEHALF, F_PURPOSE, F_REASON, F_PIDS, F_MORE };

#define DCM "http://dicom.nema.org/resources/ontology/DCM" /* DICOM PS3.15 A.5.3 */

/* clang-format off */
static const struct {
    const char *word, *fhir, *interaction, *text;
    const char *event; /* DICOM's event id, where it is no FHIR interaction; with its own codes */
} acts[AUDIT_ACTS] = {
    [AUDIT_READ]        = { "read",        "R", "read",         "opened" },
    [AUDIT_SEARCH]      = { "search",      "E", "search-type",  "looked at, in a search" },
    [AUDIT_CREATE]      = { "create",      "C", "create",       "added" },
    [AUDIT_UPDATE]      = { "update",      "U", "update",       "changed" },
    [AUDIT_DELETE]      = { "delete",      "D", "delete",       "removed" },
    [AUDIT_HISTORY]     = { "history",     "R", "history",      "looked at earlier versions" },
    [AUDIT_OPERATION]   = { "operation",   "E", "operation",    "looked at" },
    [AUDIT_EXPORT]      = { "export",      "E", "operation",    "exported" },
    [AUDIT_PAGE]        = { "page",        "R", "read",         "looked at on a screen" },
    [AUDIT_BREAK_GLASS] = { "break-glass", "E", "operation",    "opened in an emergency" },
    [AUDIT_SIGN_IN]     = { "sign-in",     "E", "110122",       "signed in", "110114" },
    [AUDIT_SIGN_OUT]    = { "sign-out",    "E", "110123",       "signed out", "110114" },
    [AUDIT_ACCOUNT]     = { "account",     "E", "110137",       "changed who may enter", "110113" },
    [AUDIT_REVIEW]      = { "review",      "E", "operation",    "reviewed an emergency access" },
};
static const char *const outcomes[] = {
    [AUDIT_DONE] = "0", [AUDIT_FAILED] = "4", [AUDIT_REFUSED] = "8",
};
/* clang-format on */

const char *audit_act_text(enum audit_act act)
{
    return acts[act].text;
}

char audit_act_letter(enum audit_act act)
{
    return acts[act].fhir[0];
}

static void put_field(struct json_writer *w, str text, size_t max)
{
    json_str(w, str_given(text) ? str_slice(text, 0, max) : S(""));
}

str audit_text(struct arena *arena, const struct audit_entry *entry)
{
    char at[CLOCK_TEXT];
    struct buf buf = buf_make(arena, TEXT_MAX_BYTES);
    struct json_writer w = json_writer(&buf);
    clock_write(entry->at_ms, at);
    json_open(&w, '[');
    json_str(&w, (str){ at, CLOCK_TEXT });
    put_field(&w, entry->who, FIELD_MAX);
    put_field(&w, entry->person, FIELD_MAX);
    put_field(&w, entry->role, FIELD_MAX);
    json_str(&w, str_of(acts[entry->act].word));
    put_field(&w, entry->what, WHAT_MAX);
    json_u64(&w, (uint64_t)entry->outcome);
    put_field(&w, entry->request_id, FIELD_MAX);
    put_field(&w, entry->address, FIELD_MAX);
    put_field(&w, entry->client, FIELD_MAX);
    put_field(&w, entry->behalf, FIELD_MAX);
    put_field(&w, entry->purpose, FIELD_MAX);
    put_field(&w, entry->reason, WHAT_MAX);
    json_open(&w, '[');
    for (size_t i = 0; i < entry->pids_count; i++)
        json_i64(&w, entry->pids[i]);
    json_close(&w, ']');
    json_bool(&w, entry->more);
    json_close(&w, ']');
    return buf_str(&buf);
}

static enum audit_act act_of(struct json word)
{
    for (size_t i = 0; i < AUDIT_ACTS; i++)
        if (json_string_is(word, str_of(acts[i].word)))
            return (enum audit_act)i;
    return AUDIT_READ;
}

static int64_t instant_of(str text)
{
    struct clock_civil c = { 0 };
    uint64_t value;
    static const struct { size_t from, to; } parts[] = {
        { 0, 4 }, { 5, 7 }, { 8, 10 }, { 11, 13 }, { 14, 16 }, { 17, 19 }, { 20, 23 },
    };
    int *const places[] = { &c.year, &c.month, &c.day, &c.hour, &c.minute, &c.second, &c.ms };
    for (size_t i = 0; i < COUNT(parts) && text.n == CLOCK_TEXT; i++)
        if (str_to_u64(str_slice(text, parts[i].from, parts[i].to), &value))
            *places[i] = (int)value;
    return text.n == CLOCK_TEXT ? clock_from_civil(c) : 0;
}

static void read_pids(struct ctx *cx, struct json list, struct audit_entry *out)
{
    int64_t *pids = arena_array(cx->arena, json_count(list) + 1, sizeof *pids);
    for (struct json_walk w = json_walk(list); json_next(&w);)
        if (str_to_i64(json_string(cx->arena, w.value), &pids[out->pids_count]))
            out->pids_count++;
    out->pids = pids;
}

err audit_read_text(struct ctx *cx, str text, struct audit_entry *out)
{
    struct json json, items[F_MORE + 1] = { 0 };
    size_t n = 0;
    TRY(json_parse(cx, text, &json));
    for (struct json_walk w = json_walk(json); json_next(&w) && n < COUNT(items);)
        items[n++] = w.value;
    struct audit_entry entry = { .act = act_of(items[F_ACT]) };
    str *const fields[] = {
        [F_WHO] = &entry.who, [F_PERSON] = &entry.person, [F_ROLE] = &entry.role,
        [F_WHAT] = &entry.what, [F_REQUEST] = &entry.request_id, [F_ADDRESS] = &entry.address,
        [F_CLIENT] = &entry.client, [F_BEHALF] = &entry.behalf, [F_PURPOSE] = &entry.purpose,
        [F_REASON] = &entry.reason,
    };
    for (size_t i = 0; i < COUNT(fields); i++)
        if (fields[i])
            *fields[i] = json_string(cx->arena, items[i]);
    int64_t outcome = 0;
    str_to_i64(json_string(cx->arena, items[F_OUTCOME]), &outcome);
    entry.outcome = outcome >= 0 && outcome <= AUDIT_REFUSED ? (enum audit_outcome)outcome
                                                             : AUDIT_FAILED;
    entry.at_ms = instant_of(json_string(cx->arena, items[F_AT]));
    entry.more = json_is(items[F_MORE], JSON_TRUE);
    read_pids(cx, items[F_PIDS], &entry);
    *out = entry;
    return ERR_OK;
}

/* ---- as FHIR ---- */

static void put_coding(struct json_writer *w, const char *system, str code)
{
    json_open(w, '{');
    json_put_str(w, "system", str_of(system));
    json_put_str(w, "code", code);
    json_close(w, '}');
}

static void put_reference(struct json_writer *w, const char *key, str reference)
{
    json_key(w, key);
    json_open(w, '{');
    json_put_str(w, "reference", reference);
    json_close(w, '}');
}

static void put_person(struct json_writer *w, const struct audit_entry *entry)
{
    json_open(w, '{');
    json_key(w, "role");
    json_open(w, '[');
    json_open(w, '{');
    json_put_str(w, "text", entry->role);
    json_close(w, '}');
    json_close(w, ']');
    if (entry->person.n)
        put_reference(w, "who", entry->person);
    json_put_str(w, "altId", entry->who);
    json_put_bool(w, "requestor", true);
    if (entry->address.n) {
        json_key(w, "network");
        json_open(w, '{');
        json_put_str(w, "address", entry->address);
        json_put_str(w, "type", S("2"));
        json_close(w, '}');
    }
    json_close(w, '}');
}

static void put_agents(struct json_writer *w, const struct audit_entry *entry)
{
    json_key(w, "agent");
    json_open(w, '[');
    put_person(w, entry);
    if (entry->client.n) { /* the app in the person's hands */
        json_open(w, '{');
        json_put_str(w, "altId", entry->client);
        json_put_bool(w, "requestor", false);
        json_close(w, '}');
    }
    if (entry->behalf.n) {
        json_open(w, '{');
        put_reference(w, "who", entry->behalf);
        json_put_bool(w, "requestor", false);
        json_close(w, '}');
    }
    json_close(w, ']');
}

/* "Patient/1/_history/2" is a reference; anything with a query stands as the query. */
static void put_what(struct json_writer *w, str what)
{
    str rest = what, type;
    bool named = str_next(&rest, '/', &type) && fhir_resource_find(type) != FHIR_NONE && rest.n &&
                 str_find_char(what, '?') == STR_NONE && str_find_char(what, '$') == STR_NONE;
    json_open(w, '{');
    if (named)
        put_reference(w, "what", what);
    else
        json_put_str(w, "description", what);
    json_close(w, '}');
}

static err put_entities(struct ctx *cx, struct json_writer *w, const struct audit_entry *entry,
                        const struct audit_namer *namer)
{
    json_key(w, "entity");
    json_open(w, '[');
    put_what(w, entry->what);
    for (size_t i = 0; namer && i < entry->pids_count; i++) {
        str id;
        TRY(namer->patient(cx, namer->self, entry->pids[i], &id));
        if (!str_given(id))
            continue;
        json_open(w, '{');
        put_reference(w, "what", arena_printf(cx->arena, "Patient/%.*s", STR_ARG(id)));
        json_key(w, "role");
        put_coding(w, "http://terminology.hl7.org/CodeSystem/object-role", S("1"));
        json_close(w, '}');
    }
    json_close(w, ']');
    return ERR_OK;
}

static void put_purpose(struct json_writer *w, const struct audit_entry *entry)
{
    if (!entry->purpose.n)
        return;
    json_key(w, "purposeOfEvent");
    json_open(w, '[');
    json_open(w, '{');
    json_key(w, "coding");
    json_open(w, '[');
    put_coding(w, "http://terminology.hl7.org/CodeSystem/v3-ActReason", entry->purpose);
    json_close(w, ']');
    if (entry->reason.n)
        json_put_str(w, "text", entry->reason);
    json_close(w, '}');
    json_close(w, ']');
}

err audit_event(struct ctx *cx, int64_t n, const struct audit_entry *entry,
                const struct audit_namer *namer, str *out)
{
    char at[CLOCK_TEXT];
    struct buf buf = buf_make(cx->arena, EVENT_MAX_BYTES);
    struct json_writer w = json_writer(&buf);
    clock_write(entry->at_ms, at);
    json_open(&w, '{');
    json_put_str(&w, "resourceType", S("AuditEvent"));
    json_put_str(&w, "id", arena_printf(cx->arena, "%lld", (long long)n));
    json_key(&w, "type");
    const char *event = acts[entry->act].event;
    put_coding(&w, event ? DCM : "http://terminology.hl7.org/CodeSystem/audit-event-type",
               str_of(event ? event : "rest"));
    json_key(&w, "subtype");
    json_open(&w, '[');
    put_coding(&w, event ? DCM : "http://hl7.org/fhir/restful-interaction",
               str_of(acts[entry->act].interaction));
    json_close(&w, ']');
    json_put_str(&w, "action", str_of(acts[entry->act].fhir));
    json_put_str(&w, "recorded", (str){ at, CLOCK_TEXT });
    json_put_str(&w, "outcome", str_of(outcomes[entry->outcome]));
    put_purpose(&w, entry);
    put_agents(&w, entry);
    json_put_raw(&w, "source", S("{\"observer\":{\"display\":\"Frontline\"}}"));
    TRY(put_entities(cx, &w, entry, namer));
    json_close(&w, '}');
    *out = buf_str(&buf);
    return ERR_OK;
}
