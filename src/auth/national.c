/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/national.h"
#include "json/json.h"

#define LOCAL "local decision, unconfirmed; codes of National RBAC 27"

/* clang-format off: these rows are read by the people who sign them. First fit counts. */
const struct national_row national_rows[] = {
    { "R8000", "B0360", "doctor",          "B0380 B0420", "2026-11-01", LOCAL },
    { "R8001", "B0360", "nurse",           "B0380 B0401", "2026-11-01", LOCAL },
    { "R8003", "B0572", "pharmacist",      "B0380",       "2026-11-01", LOCAL },
    { "R8003", "B0360", "ahp",             "B0380",       "2026-11-01", LOCAL },
    { "R8006", "B0820", "ward_clerk",      "B0825",       "2026-11-01", LOCAL },
    { "R8008", "B0820", "ward_clerk",      "B0825",       "2026-11-01", LOCAL },
    { "R8009", "B0820", "ward_clerk",      "B0825",       "2026-11-01", LOCAL },
    { "R8010", "B0820", "ward_clerk",      "B0825",       "2026-11-01", LOCAL },
    { "R8012", "",      "coder",           "B0360",       "2026-11-01", LOCAL },
    { "R8015", "",      "system_admin",    "",            "2026-11-01", LOCAL },
    { "R0001", "",      "privacy_officer", "",            "2026-11-01", LOCAL },
    { "R5105", "",      "caldicott",       "B0360",       "2026-11-01", LOCAL },
};
static const struct { const char *acr; int level; } levels[] = {
    { "AAL3_ANY", 3 }, { "AAL3", 3 }, { "AAL2_OR_AAL3_ANY", 2 }, { "AAL2_ANY", 2 }, { "AAL2", 2 },
    { "AAL1_USERPASS", 1 },
};
/* clang-format on */
const size_t national_rows_count = COUNT(national_rows);

int national_level(str acr)
{
    for (size_t i = 0; i < COUNT(levels); i++)
        if (str_eq(acr, str_of(levels[i].acr)))
            return levels[i].level;
    return 0;
}

const char *national_acr(int level)
{
    return level >= 3 ? "AAL3_ANY" : "AAL2_OR_AAL3_ANY";
}

static err refuse(struct ctx *cx, const char *what)
{
    return ctx_failf(cx, ERR_FORBIDDEN, (str){ 0 }, "you are not signed in: %s", what);
}

static str text_of(struct ctx *cx, struct json of, const char *name)
{
    str text = json_string(cx->arena, json_get(of, str_of(name)));
    return str_given(text) ? text : S("");
}

static bool has_word(str words, str wanted)
{
    str word;
    while (str_next(&words, ' ', &word))
        if (word.n && str_eq(word, wanted))
            return true;
    return false;
}

/* "S8000:G8000:R8001" ends in the job role. */
static str job_role(str code)
{
    str last = { 0 };
    while (str_next(&code, ':', &last))
        ;
    return last;
}

/* The last of "\"Clinical\":\"Clinical Provision\":\"Nurse Access Role\"". */
static str last_name(struct ctx *cx, str names)
{
    size_t start = names.n, end = names.n;
    while (end > 0 && names.p[end - 1] == '"')
        end--;
    for (start = end; start > 0 && names.p[start - 1] != '"' && names.p[start - 1] != ':'; start--)
        ;
    return arena_copy(cx->arena, str_slice(names, start, end));
}

static str activities_of(struct ctx *cx, struct json role)
{
    str words = S("");
    for (struct json_walk w = json_walk(json_get(role, S("activity_codes"))); json_next(&w);)
        words = arena_printf(cx->arena, "%.*s%s%.*s", STR_ARG(words), words.n ? " " : "",
                             STR_ARG(json_string(cx->arena, w.value)));
    return words;
}

static err find_selected(struct ctx *cx, struct json said, struct json *out)
{
    struct json held = json_get(said, S("nhsid_nrbac_roles"));
    str selected = text_of(cx, said, "selected_roleid");
    if (!selected.n && json_count(held) == 1) {
        *out = json_at(held, 0);
        return ERR_OK;
    }
    for (struct json_walk w = json_walk(held); !w.object && json_next(&w);)
        if (selected.n && json_string_is(json_get(w.value, S("person_roleid")), selected)) {
            *out = w.value;
            return ERR_OK;
        }
    return refuse(cx, "you did not choose one of your national roles; sign in again and choose");
}

static err find_row(struct ctx *cx, struct json role, struct national *out)
{
    str listed = activities_of(cx, role);
    bool known = false;
    for (size_t i = 0; i < national_rows_count; i++) {
        const struct national_row *row = &national_rows[i];
        if (!str_eq(out->code, str_of(row->code)))
            continue;
        known = true;
        str held = role_activities_closure(cx->arena,
                                           listed.n ? listed : str_of(row->baseline));
        if (row->needs[0] && !has_word(held, str_of(row->needs)))
            continue;
        out->activities = held;
        out->role = row->role;
        return ERR_OK;
    }
    if (known)
        return refuse(cx, "your national role lacks the activities this hospital asks for it; "
                          "ask your registration authority");
    return ctx_failf(cx, ERR_FORBIDDEN, (str){ 0 },
                     "you are not signed in: the national role %.*s (%.*s) has no role here; "
                     "choose another role, or ask the administrator to add it",
                     STR_ARG(out->code), STR_ARG(out->code_name));
}

err national_read(struct ctx *cx, str userinfo, str organisation, struct national *out)
{
    struct json said, role;
    TRY(json_parse(cx, userinfo, &said));
    TRY(find_selected(cx, said, &role));
    struct national found = {
        .uid = text_of(cx, said, "nhsid_useruid"),
        .name = text_of(cx, said, "name"),
        .code = job_role(text_of(cx, role, "role_code")),
        .code_name = last_name(cx, text_of(cx, role, "role_name")),
        .organisation = text_of(cx, role, "org_code"),
    };
    if (!found.uid.n)
        return refuse(cx, "the provider does not give your national id; ask the administrator");
    if (organisation.n && !str_eq(found.organisation, organisation))
        return refuse(cx, "the role you chose is at another organisation; choose one held here");
    TRY(find_row(cx, role, &found));
    *out = found;
    return ERR_OK;
}

const char *national_refine(const struct national *claimed, str own_role)
{
    const struct role *own = role_find(own_role);
    bool same = own && own->national && str_eq(claimed->code, str_of(own->national));
    return same ? own->name : claimed->role;
}
