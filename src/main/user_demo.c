/* SPDX-License-Identifier: Apache-2.0 */
#include "main/user_demo.h"
#include "auth/sign_in_sql.h"
#include "json/json.h"
#include "store/search.h"

/*
 * One account a role for the demonstration, with somebody of the invented hospital behind it: who
 * works on a ward works on the one with that nurse, so that each sees patients of their own.
 */
enum { PRACTITIONERS_MAX = 400 };

/* For those who are nobody of the invented hospital. */
static const struct {
    const char *role, *display;
} names[] = {
    { "hca", "Bola Adeyemi" },        { "pharmacist", "Yusuf Rahman" },
    { "ahp", "Mina Park" },           { "outreach", "Gareth Lewis" },
    { "bed_manager", "Ruth Cole" },   { "infection_control", "Nadia Silva" },
    { "ward_clerk", "Dawn Price" },   { "coder", "Ivan Petrov" },
    { "records_officer", "Helen Moss" }, { "privacy_officer", "Priya Nair" },
    { "caldicott", "Owen Hart" },     { "safety_officer", "Lena Fox" },
    { "system_admin", "Sam Reed" },   { "proxy", "Alex Cook" },
    { "claimant", "Jo Morgan" },
};
static const struct {
    const char *role, *prefix; /* of a Practitioner's id; NULL: nobody in the record */
    bool on_ward;
    size_t which;              /* the how manieth of that prefix, so that they are several people */
} people_wanted[] = {
    { "hca", NULL, true, 0 },            { "nurse", "nurse-", true, 0 },
    { "nurse_in_charge", "nurse-", true, 1 }, { "doctor", "cons-", true, 0 },
    { "consultant", "cons-", true, 1 },  { "pharmacist", NULL, true, 0 },
    { "ahp", NULL, true, 0 },            { "ward_clerk", NULL, true, 0 },
};

struct hospital {
    str *ids, *names;
    size_t count;
    str ward;
};

static err read_one(struct ctx *cx, struct store *store, int64_t rid, str *id, struct json *out)
{
    struct store_version version;
    TRY(store_read_rid(cx, store, rid, &version));
    *id = arena_copy(cx->arena, version.id);
    return json_parse(cx, arena_copy(cx->arena, version.body), out);
}

static str name_of(struct ctx *cx, struct json resource)
{
    struct json name = json_at(json_get(resource, S("name")), 0);
    str given = json_string(cx->arena, json_at(json_get(name, S("given")), 0));
    str family = json_string(cx->arena, json_get(name, S("family")));
    return arena_printf(cx->arena, "%.*s %.*s", STR_ARG(given), STR_ARG(family));
}

/* "nurse-amu-1-1" works on "ward-amu-1". */
static str ward_of(struct ctx *cx, str nurse)
{
    size_t end = nurse.n;
    while (end > 0 && nurse.p[end - 1] != '-')
        end--;
    return arena_printf(cx->arena, "ward-%.*s", STR_ARG(str_slice(nurse, 6, end ? end - 1 : 0)));
}

static err read_hospital(struct ctx *cx, struct store *store, struct hospital *out)
{
    int64_t *rids = arena_array(cx->arena, PRACTITIONERS_MAX, sizeof *rids);
    struct search_rids hits = { .rids = rids, .max = PRACTITIONERS_MAX };
    *out = (struct hospital){
        .ids = arena_array(cx->arena, PRACTITIONERS_MAX, sizeof *out->ids),
        .names = arena_array(cx->arena, PRACTITIONERS_MAX, sizeof *out->names),
        .ward = S(""),
    };
    TRY(search_condition(cx, store, fhir_resource_find(S("Practitioner")), S("active=true"),
                         &hits));
    for (size_t i = 0; i < hits.count && i < PRACTITIONERS_MAX; i++) {
        struct json body;
        TRY(read_one(cx, store, rids[i], &out->ids[out->count], &body));
        out->names[out->count] = name_of(cx, body);
        if (!out->ward.n && str_starts(out->ids[out->count], S("nurse-")))
            out->ward = ward_of(cx, out->ids[out->count]);
        out->count++;
    }
    return ERR_OK;
}

static void choose(struct ctx *cx, const struct hospital *hospital, struct people_user *user)
{
    for (size_t i = 0; i < COUNT(people_wanted); i++) {
        if (!str_eq(user->role, str_of(people_wanted[i].role)))
            continue;
        user->areas = people_wanted[i].on_ward ? hospital->ward : S("");
        size_t left = people_wanted[i].which;
        for (size_t k = 0; people_wanted[i].prefix && k < hospital->count; k++)
            if (str_starts(hospital->ids[k], str_of(people_wanted[i].prefix)) && left-- == 0) {
                user->who = arena_printf(cx->arena, "Practitioner/%.*s",
                                         STR_ARG(hospital->ids[k]));
                user->display = hospital->names[k];
                return;
            }
    }
}

static str display_of(const struct role *role)
{
    for (size_t i = 0; i < COUNT(names); i++)
        if (strcmp(role->name, names[i].role) == 0)
            return str_of(names[i].display);
    return str_of(role->title);
}

static err choose_patient(struct ctx *cx, struct store *store, struct people_user *user)
{
    int64_t rid;
    struct search_rids hits = { .rids = &rid, .max = 1 };
    struct json body;
    str id;
    uint16_t type = fhir_resource_find(S("Patient"));
    TRY(search_condition(cx, store, type, S("_id=" USER_DEMO_PATIENT), &hits));
    if (!hits.count)
        return ERR_OK;
    TRY(read_one(cx, store, rid, &id, &body));
    user->who = arena_printf(cx->arena, "Patient/%.*s", STR_ARG(id));
    user->display = name_of(cx, body);
    return ERR_OK;
}

static err add_one(struct ctx *cx, struct people *people, struct store *store,
                   const struct hospital *hospital, const struct role *role)
{
    struct people_user user = { .name = str_of(role->name), .role = str_of(role->name),
                                .display = display_of(role) };
    choose(cx, hospital, &user);
    if (str_eq(user.role, S("patient")))
        TRY(choose_patient(cx, store, &user));
    err added = people_add(cx, people, &user);
    if (added == ERR_CONFLICT) {
        cx->issues.kept = cx->issues.count = 0; /* from the last start: it stays as it is */
        return people_find(cx, people, user.name, &user);
    }
    TRY(added);
    if (!str_eq(user.role, S("proxy")))
        return ERR_OK;
    struct db *db = people_lock(people);
    struct db_stmt *stmt = db_use(cx, db, sign_in_sql, SIGN_IN_LINK_ADD);
    db_bind_text(stmt, 1, S("demo"));
    db_bind_text(stmt, 2, S("proxy"));
    db_bind_text(stmt, 3, user.name);
    db_bind_text(stmt, 4, S(USER_DEMO_CARER));
    return people_unlock(people, db_run(cx, stmt));
}

err user_demo(struct ctx *cx, struct people *people, str folder)
{
    struct store *store;
    struct hospital hospital;
    TRY(store_open(cx, &(struct store_options){ .folder = folder, .read_only = true }, &store));
    err result = read_hospital(cx, store, &hospital);
    for (size_t i = 0; i < roles_count && result == ERR_OK; i++) {
        if (strcmp(roles[i].name, "service") == 0)
            continue; /* no person */
        result = add_one(cx, people, store, &hospital, &roles[i]);
        if (result == ERR_OK)
            printf("  %-16s %s\n", roles[i].name, roles[i].title);
    }
    ctx_release(cx); /* its reader goes back before the store goes */
    store_close(store);
    return result;
}
