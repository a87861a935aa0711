/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/privacy.h"

/*
 * What is unusual about an access, from the names, addresses and hours on record. It asks for a
 * look; it proves nothing. The hours and the codes are unconfirmed [U].
 */
enum { NIGHT_FROM_HOUR = 22, NIGHT_UNTIL_HOUR = 6, LINE_MAX = 200 };

struct person {
    str key;                /* "p17" or the reference */
    str name, id;           /* to show */
    str family, birth_date, postcode, line;
    bool sensitive, known;
    struct person *next;
};
struct privacy_flagger {
    struct ctx *cx;
    struct store *store;
    struct people_user *users;
    size_t users_count;
    struct person *seen;
};

struct privacy_flagger *privacy_flagger_make(struct ctx *cx, struct store *store,
                                             struct people *people)
{
    struct privacy_flagger *flagger = arena_zero(cx->arena, sizeof *flagger);
    flagger->cx = cx;
    flagger->store = store;
    if (people_list(cx, people, &flagger->users, &flagger->users_count) != ERR_OK)
        flagger->users_count = 0;
    return flagger;
}

static str text_of(struct ctx *cx, struct json object, const char *key)
{
    str text = json_string(cx->arena, json_get(object, str_of(key)));
    return str_given(text) ? text : S("");
}

static bool is_sensitive(struct json body)
{
    static const char *const codes[] = { "R", "V", "CEL" };
    struct json labels = json_get(json_get(body, S("meta")), S("security"));
    for (struct json_walk w = json_walk(labels); json_next(&w);)
        for (size_t i = 0; i < COUNT(codes); i++)
            if (json_string_is(json_get(w.value, S("code")), str_of(codes[i])))
                return true;
    return false;
}

static void read_person(struct privacy_flagger *f, struct json body, struct person *out)
{
    struct ctx *cx = f->cx;
    struct json name = json_at(json_get(body, S("name")), 0);
    struct json address = json_at(json_get(body, S("address")), 0);
    out->family = text_of(cx, name, "family");
    str given = json_string(cx->arena, json_at(json_get(name, S("given")), 0));
    out->birth_date = text_of(cx, body, "birthDate");
    out->postcode = text_of(cx, address, "postalCode");
    out->line = json_string(cx->arena, json_at(json_get(address, S("line")), 0));
    out->sensitive = is_sensitive(body);
    out->name = arena_printf(cx->arena, "%.*s%s%.*s", STR_ARG(out->family),
                             str_given(given) ? ", " : "", STR_ARG(given));
    out->known = true;
}

static struct person *remember(struct privacy_flagger *f, str key, err found,
                               const struct store_version *version)
{
    struct person *person = arena_zero(f->cx->arena, sizeof *person);
    struct json body;
    *person = (struct person){ .key = key, .next = f->seen };
    f->seen = person;
    if (found == ERR_OK && json_parse(f->cx, version->body, &body) == ERR_OK) {
        person->id = version->id;
        read_person(f, body, person);
    }
    return person;
}

static struct person *recall(struct privacy_flagger *f, str key)
{
    for (struct person *person = f->seen; person; person = person->next)
        if (str_eq(person->key, key))
            return person;
    return NULL;
}

/* What is unusual about a look at a record does not depend on whether the record's label is for who
 * looks after access; its name does. */
static err read_anyway(struct privacy_flagger *f, int64_t pid, struct store_version *version,
                       bool *visible)
{
    const struct store_access *access = f->cx->access;
    *visible = store_read_rid(f->cx, f->store, pid, version) == ERR_OK;
    if (*visible)
        return ERR_OK;
    f->cx->access = NULL;
    err found = store_read_rid(f->cx, f->store, pid, version);
    f->cx->access = access;
    return found;
}

static struct person *patient(struct privacy_flagger *f, int64_t pid)
{
    str key = arena_printf(f->cx->arena, "p%lld", (long long)pid);
    struct person *person = recall(f, key);
    if (person)
        return person;
    struct store_version version;
    size_t kept = f->cx->issues.kept, count = f->cx->issues.count;
    bool visible;
    err found = read_anyway(f, pid, &version, &visible);
    f->cx->issues.kept = kept;
    f->cx->issues.count = count;
    person = remember(f, key, found, &version);
    if (!visible)
        person->name = person->id = (str){ 0 };
    return person;
}

/* The member of staff, by "Practitioner/7". */
static struct person *member(struct privacy_flagger *f, str reference)
{
    struct person *person = recall(f, reference);
    if (person)
        return person;
    struct store_version version;
    str rest = reference, type;
    size_t kept = f->cx->issues.kept, count = f->cx->issues.count;
    err found = ERR_NOT_FOUND;
    if (str_next(&rest, '/', &type) && fhir_resource_find(type) != FHIR_NONE && rest.n)
        found = store_read(f->cx, f->store, fhir_resource_find(type), rest, &version);
    f->cx->issues.kept = kept;
    f->cx->issues.count = count;
    return remember(f, reference, found, &version);
}

void privacy_patient(struct privacy_flagger *flagger, int64_t pid, str *name, str *id)
{
    const struct person *person = patient(flagger, pid);
    *name = person->name;
    *id = person->id;
}

str privacy_who(struct privacy_flagger *flagger, str user)
{
    for (size_t i = 0; i < flagger->users_count; i++)
        if (str_eq(flagger->users[i].name, user) && flagger->users[i].display.n)
            return flagger->users[i].display;
    return user;
}

static void add(struct privacy_access *out, bool is, const char *flag)
{
    if (is && out->flags_count < PRIVACY_FLAGS_MAX)
        out->flags[out->flags_count++] = flag;
}

static bool same(str a, str b)
{
    return a.n && b.n && str_eq_nocase(a, b);
}

static bool by_night(struct ctx *cx, int64_t at_ms)
{
    uint64_t hour;
    return str_to_u64(str_slice(ui_clock(cx, at_ms), 0, 2), &hour) &&
           (hour >= NIGHT_FROM_HOUR || hour < NIGHT_UNTIL_HOUR);
}

void privacy_flag(struct privacy_flagger *flagger, const struct audit_entry *entry, int64_t pid,
                  struct privacy_access *out)
{
    const struct role *role = role_find(entry->role);
    bool staff = role && role->reach != ROLE_OWN;
    add(out, str_eq(entry->purpose, S("BTG")), "emergency access");
    add(out, entry->outcome == AUDIT_REFUSED, "refused");
    add(out, staff && entry->person.n && by_night(flagger->cx, entry->at_ms), "by night");
    if (!pid || !staff || !entry->person.n)
        return;
    const struct person *who = member(flagger, entry->person), *whom = patient(flagger, pid);
    if (!whom->known)
        return;
    bool name = same(who->family, whom->family), own = name && same(who->birth_date,
                                                                    whom->birth_date);
    add(out, own, "own record");
    add(out, name && !own, "same surname");
    add(out, same(who->postcode, whom->postcode) && same(who->line, whom->line) && !own,
        "same address");
    add(out, whom->sensitive, "VIP or restricted");
}
