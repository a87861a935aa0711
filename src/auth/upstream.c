/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/upstream.h"
#include "auth/secret.h"
#include "auth/sign_in_sql.h"
#include "json/json.h"
#include "store/search.h"

enum { NAME_HASH_LETTERS = 16 };

static err refuse(struct ctx *cx, err kind, const char *why)
{
    return ctx_failf(cx, kind, (str){ 0 }, "you are not signed in: %s", why);
}

/* ---- accounts ---- */

static err find_link(struct ctx *cx, struct db *db, const struct upstream_link *link, str *user)
{
    struct db_stmt *stmt = db_use(cx, db, sign_in_sql, SIGN_IN_LINK_FIND);
    db_bind_text(stmt, 1, link->issuer);
    db_bind_text(stmt, 2, link->sub);
    bool row;
    TRY(db_step(cx, stmt, &row));
    *user = row ? arena_copy(cx->arena, db_text(stmt, 0)) : (str){ 0 };
    db_reset(stmt);
    return ERR_OK;
}

static err add_link(struct ctx *cx, struct db *db, const struct upstream_link *link, str user)
{
    struct db_stmt *stmt = db_use(cx, db, sign_in_sql, SIGN_IN_LINK_ADD);
    db_bind_text(stmt, 1, link->issuer);
    db_bind_text(stmt, 2, link->sub);
    db_bind_text(stmt, 3, user);
    db_bind_text(stmt, 4, str_given(link->nhs_number) ? link->nhs_number : S(""));
    return db_run(cx, stmt);
}

static err bring_up_to_date(struct ctx *cx, struct db *db, const struct people_user *user)
{
    struct db_stmt *stmt = db_use(cx, db, sign_in_sql, SIGN_IN_PERSON_UPDATE);
    db_bind_text(stmt, 1, user->name);
    db_bind_text(stmt, 2, user->role);
    db_bind_text(stmt, 3, user->display);
    db_bind_text(stmt, 4, user->who);
    return db_run(cx, stmt);
}

/* A name nobody chose: from the subject, which need not fit the letters of ours. */
static str name_for(struct ctx *cx, const char *kind, const struct upstream_link *link)
{
    str both = arena_printf(cx->arena, "%.*s %.*s", STR_ARG(link->issuer), STR_ARG(link->sub));
    str hash = secret_hash(cx->arena, both);
    str text = arena_printf(cx->arena, "%s.", kind);
    for (size_t i = 0; i < NAME_HASH_LETTERS / 2; i++)
        text = arena_printf(cx->arena, "%.*s%02x", STR_ARG(text), (unsigned char)hash.p[i]);
    return text;
}

err upstream_account(struct ctx *cx, struct people *people, const struct upstream_link *link,
                     struct people_user *user)
{
    struct people_user have;
    str name = { 0 };
    struct db *db = people_lock(people);
    TRY(people_unlock(people, find_link(cx, db, link, &name)));
    if (!str_given(name)) {
        name = str_given(user->name) ? user->name
                                     : name_for(cx, str_starts(user->role, S("patient")) ||
                                                        str_eq(user->role, S("claimant")) ||
                                                        str_eq(user->role, S("proxy"))
                                                        ? "patient" : "staff", link);
        user->name = name;
        err added = people_add(cx, people, user);
        if (added != ERR_OK && added != ERR_CONFLICT)
            return added;
    }
    user->name = name;
    TRY(people_find(cx, people, name, &have));
    if (have.disabled)
        return refuse(cx, ERR_FORBIDDEN, "this account is closed here; ask the administrator");
    db = people_lock(people);
    err kept = bring_up_to_date(cx, db, user);
    if (kept == ERR_OK)
        kept = add_link(cx, db, link, name);
    TRY(people_unlock(people, kept));
    people_forget(people);
    return ERR_OK;
}

static err read_number(struct ctx *cx, struct db *db, str user, str *out)
{
    struct db_stmt *stmt = db_use(cx, db, sign_in_sql, SIGN_IN_LINK_OF);
    db_bind_text(stmt, 1, user);
    bool row;
    TRY(db_step(cx, stmt, &row));
    *out = row ? arena_copy(cx->arena, db_text(stmt, 0)) : S("");
    db_reset(stmt);
    return ERR_OK;
}

err upstream_nhs_number(struct ctx *cx, struct people *people, str user, str *out)
{
    struct db *db = people_lock(people);
    return people_unlock(people, read_number(cx, db, user, out));
}

/* ---- staff ---- */

static err check_level(struct ctx *cx, const struct provider_person *person, int least)
{
    struct json claims;
    TRY(json_parse(cx, person->claims, &claims));
    str acr = json_string(cx->arena, json_get(claims, S("acr")));
    if (str_given(acr) && national_level(acr) >= least)
        return ERR_OK;
    return refuse(cx, ERR_LOGIN, "the way you signed in over there is not strong enough; use your "
                                 "smartcard or security key");
}

/* The person in the record whose national id this is; empty when the record knows none. */
static err find_practitioner(struct ctx *cx, struct store *store, str uid, str *who)
{
    int64_t rid;
    struct search_rids hits = { .rids = &rid, .max = 1 };
    struct store_version version;
    uint16_t type = fhir_resource_find(S("Practitioner"));
    str query = arena_printf(cx->arena, "identifier=https://fhir.nhs.uk/Id/sds-user-id%%7C%.*s",
                             STR_ARG(uid));
    TRY(search_condition(cx, store, type, query, &hits));
    *who = S("");
    if (hits.count == 0)
        return ERR_OK;
    TRY(store_read_rid(cx, store, rid, &version));
    *who = arena_printf(cx->arena, "Practitioner/%.*s", STR_ARG(version.id));
    return ERR_OK;
}

static bool digits_only(str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
    return text.n > 0 && text.n <= 20;
}

err upstream_staff(struct ctx *cx, struct people *people, struct store *store,
                   const struct upstream_rules *rules, const struct provider_person *person,
                   str *user)
{
    bool step_up = str_eq(person->wanted, S("step-up"));
    struct national claimed;
    struct people_user have;
    str who;
    TRY(check_level(cx, person, step_up ? rules->step_up_level : rules->level));
    TRY(provider_check_age(cx, person, step_up ? UPSTREAM_FRESH_S : UPSTREAM_SHIFT_S));
    TRY(national_read(cx, person->userinfo, rules->organisation, &claimed));
    TRY(find_practitioner(cx, store, claimed.uid, &who));
    struct upstream_link link = { .issuer = rules->issuer, .sub = person->sub };
    struct people_user wanted = {
        .display = claimed.name.n ? claimed.name : claimed.uid,
        .role = str_of(claimed.role),
        .who = who,
    };
    str name = { 0 };
    struct db *db = people_lock(people);
    TRY(people_unlock(people, find_link(cx, db, &link, &name)));
    if (str_given(name)) {
        TRY(people_find(cx, people, name, &have));
        wanted.role = str_of(national_refine(&claimed, have.role));
        if (!who.n)
            wanted.who = have.who;
    } else if (digits_only(claimed.uid)) {
        wanted.name = arena_printf(cx->arena, "uid.%.*s", STR_ARG(claimed.uid));
    }
    TRY(upstream_account(cx, people, &link, &wanted));
    *user = wanted.name;
    return ERR_OK;
}
