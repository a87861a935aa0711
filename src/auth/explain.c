/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/explain.h"
#include "base/buf.h"
#include "json/write.h"
#include "store/search.h"

enum { TEXT_BYTES = 64 << 10, CONSENTS_MAX = 50 };

/* clang-format off */
static const struct { const char *word; enum decide_act act; const char *verb; } interactions[] = {
    { "read",    DECIDE_READ,   "read" },
    { "vread",   DECIDE_READ,   "read older versions of" },
    { "history", DECIDE_READ,   "read the history of" },
    { "search",  DECIDE_SEARCH, "find" },
    { "create",  DECIDE_CREATE, "create the like of" },
    { "update",  DECIDE_UPDATE, "change" },
    { "patch",   DECIDE_UPDATE, "change" },
    { "delete",  DECIDE_DELETE, "delete" },
};
/* clang-format on */

struct explaining {
    struct ctx *cx;
    const struct explain_ask *ask;
    struct explain_answer *out;
    enum decide_act act;
    str verb;
    const struct role *role;
    struct store_version version;
    struct json body;
    struct decide_patients patients;
    struct decide_thing thing;
};

static void add(struct explaining *e, const char *rule, bool passed, str detail)
{
    struct explain_answer *out = e->out;
    if (out->lines_count < EXPLAIN_LINES_MAX)
        out->lines[out->lines_count++] = (struct explain_line){ rule, passed, detail };
}

static err find_act(struct explaining *e)
{
    for (size_t i = 0; i < COUNT(interactions); i++)
        if (str_eq(e->ask->interaction, str_of(interactions[i].word))) {
            e->act = interactions[i].act;
            e->verb = str_of(interactions[i].verb);
            return ERR_OK;
        }
    return ctx_fail(e->cx, ERR_INVALID, S("interaction"),
                    S("the interactions are read, vread, history, search, create, update, patch "
                      "and delete"));
}

static err find_thing(struct explaining *e)
{
    str rest = e->ask->resource, type;
    uint16_t resource = str_next(&rest, '/', &type) ? fhir_resource_find(type) : FHIR_NONE;
    if (resource == FHIR_NONE || !rest.n)
        return ctx_fail(e->cx, ERR_INVALID, S("resource"), S("write it as TYPE/ID: Patient/123"));
    TRY(store_read(e->cx, e->ask->store, resource, rest, &e->version));
    return json_parse(e->cx, e->version.body, &e->body);
}

static bool has_pid(const int64_t *pids, size_t count, int64_t pid)
{
    for (size_t i = 0; i < count; i++)
        if (pids[i] == pid)
            return true;
    return false;
}

static void gather(struct explaining *e)
{
    int64_t pid = e->version.pid;
    const struct decide_patients *patients = &e->patients;
    bool known = has_pid(patients->pids, patients->pids_count, pid);
    e->thing = (struct decide_thing){
        .resource = e->version.resource,
        .in_compartment = store_rid_resource(pid) == fhir_resource_find(S("Patient")),
        .alone = store_rid_resource(pid) != fhir_resource_find(S("Patient")),
        .own = known, .related = known,
        .glass_broken = has_pid(patients->lifted, patients->lifted_count, pid),
        .labels = decide_labels(e->body),
    };
    for (size_t i = 0; i < patients->dissents_count; i++)
        e->thing.dissented |= patients->dissents[i].pid == pid &&
                              (patients->dissents[i].resource == FHIR_NONE ||
                               patients->dissents[i].resource == e->version.resource);
}

static void say_person(struct explaining *e)
{
    const struct people_user *user = &e->out->user;
    add(e, "person", !user->disabled,
        arena_printf(e->cx->arena, "%.*s, %s%s%.*s%s", STR_ARG(user->name), e->role->title,
                     user->who.n ? ", " : "", STR_ARG(user->who),
                     user->disabled ? ": disabled, cannot sign in" : ""));
}

static void say_role(struct explaining *e)
{
    enum role_group group = role_group_of(e->version.resource);
    const char *may = group == ROLE_GROUPS ? NULL : e->role->may[group];
    static const char letters[] = { [DECIDE_READ] = 'r', [DECIDE_SEARCH] = 'r',
                                    [DECIDE_CREATE] = 'c', [DECIDE_UPDATE] = 'u',
                                    [DECIDE_DELETE] = 'd' };
    add(e, "role", role_may(e->role, e->version.resource, letters[e->act]),
        arena_printf(e->cx->arena, "%s may \"%s\" of %s, where %.*s belongs; this needs \"%c\"",
                     e->role->title, may ? may : "nothing",
                     group == ROLE_GROUPS ? "no group" : role_group_name(group),
                     STR_ARG(fhir_resource_name(e->version.resource)), letters[e->act]));
}

static err say_relationship(struct explaining *e)
{
    struct ctx *cx = e->cx;
    struct relation_reasons reasons = { .count = 0 };
    struct buf text = buf_make(cx->arena, TEXT_BYTES);
    if (!e->thing.in_compartment) {
        bool shown = e->role->reach != ROLE_OWN || !role_keeps_close(e->version.resource);
        add(e, "relationship", shown, shown ? S("it belongs to no patient's record")
                                            : S("it does not say whose it is"));
        return ERR_OK;
    }
    if (e->role->reach == ROLE_EVERYONE) {
        add(e, "relationship", true, S("the duty reaches every patient"));
        return ERR_OK;
    }
    if (e->role->reach == ROLE_OWN) {
        add(e, "relationship", e->thing.own, e->thing.own ? S("their own record")
                                                          : S("not their own record"));
        return ERR_OK;
    }
    TRY(relation_why(cx, e->ask->store, &e->out->user, e->version.pid, &reasons));
    for (size_t i = 0; i < reasons.count; i++)
        buf_printf(&text, "%s%.*s", i ? "; " : "", STR_ARG(reasons.list[i]));
    if (!reasons.count)
        buf_add(&text, S("none is recorded: no stay on their wards, referral, booking, caseload, "
                         "task or registration"));
    add(e, "relationship", reasons.count > 0, buf_str(&text));
    return ERR_OK;
}

static void say_glass(struct explaining *e)
{
    if (!e->thing.in_compartment || e->role->reach == ROLE_OWN)
        return;
    add(e, "emergency access", e->thing.glass_broken,
        e->thing.glass_broken ? S("the glass is broken, and its time is not over")
        : e->role->may_break_glass ? S("not in use; the role may ask for it")
                                   : S("not in use; the role has none"));
}

/* The patient's refusals in force: which of them it is, their own words say best. */
static err name_consents(struct explaining *e, struct buf *out)
{
    struct ctx *cx = e->cx;
    struct store_version version;
    int64_t rids[CONSENTS_MAX];
    struct search_rids hits = { .rids = rids, .max = CONSENTS_MAX };
    TRY(store_read_rid(cx, e->ask->store, e->version.pid, &version));
    str query = arena_printf(cx->arena, "status=active&scope=patient-privacy&patient=Patient/%.*s",
                             STR_ARG(version.id));
    TRY(search_condition(cx, e->ask->store, fhir_resource_find(S("Consent")), query, &hits));
    for (size_t i = 0; i < hits.count; i++) {
        TRY(store_read_rid(cx, e->ask->store, rids[i], &version));
        buf_printf(out, "%sConsent/%.*s", i ? ", " : "", STR_ARG(version.id));
    }
    return ERR_OK;
}

static err say_dissent(struct explaining *e)
{
    struct buf text = buf_make(e->cx->arena, TEXT_BYTES);
    if (!e->thing.in_compartment || e->role->reach == ROLE_OWN)
        return ERR_OK;
    if (!e->thing.dissented) {
        add(e, "consent", true, arena_printf(e->cx->arena, "no dissent from purpose %s%s",
                                             e->role->purpose, e->thing.glass_broken
                                                 ? ", or the glass is broken" : ""));
        return ERR_OK;
    }
    buf_add(&text, S("the patient keeps this from them: "));
    TRY(name_consents(e, &text));
    add(e, "consent", false, buf_str(&text));
    return ERR_OK;
}

/* Is a label hidden from them, the glass being as it is? */
static bool hides(const struct explaining *e, size_t label)
{
    struct decide_asker asker = { .role = e->role };
    struct decide_thing thing = { .resource = e->version.resource, .own = true, .related = true,
                                  .glass_broken = e->thing.glass_broken,
                                  .labels = (uint32_t)1 << label };
    return decide(&asker, DECIDE_READ, &thing).rule == DECIDE_LABEL;
}

static void say_labels(struct explaining *e)
{
    struct buf text = buf_make(e->cx->arena, TEXT_BYTES);
    bool seen = true;
    for (size_t i = 0; i < role_labels_count; i++) {
        if (!(e->thing.labels >> i & 1))
            continue;
        bool sees = role_sees_label(e->role, &role_labels[i]), hidden = hides(e, i);
        seen = seen && !hidden;
        buf_printf(&text, "%s%s (%s): %s", text.n ? "; " : "", role_labels[i].name,
                   role_labels[i].meaning, sees     ? "the role sees it"
                                           : hidden ? "hidden from the role"
                                                    : "lifted, since the glass is broken");
    }
    add(e, "labels", seen, text.n ? buf_str(&text) : S("none"));
}

static void say_verdict(struct explaining *e)
{
    struct decide_asker asker = { .role = e->role };
    struct explain_answer *out = e->out;
    out->decision = decide(&asker, e->act, &e->thing);
    if (out->user.disabled)
        out->decision.allowed = false;
    str verb = e->verb;
    if (out->decision.allowed)
        out->verdict = arena_printf(e->cx->arena, "%.*s may %.*s %.*s", STR_ARG(out->user.name),
                                    STR_ARG(verb), STR_ARG(out->resource));
    else
        out->verdict = arena_printf(e->cx->arena, "%.*s may not %.*s %.*s: %s%s",
                                    STR_ARG(out->user.name), STR_ARG(verb), STR_ARG(out->resource),
                                    out->user.disabled ? "the account is disabled"
                                                       : decide_rule_text(out->decision.rule),
                                    out->decision.may_break_glass
                                        ? "; emergency access would open it" : "");
}

static err explain_as(struct explaining *e)
{
    struct explain_answer *out = e->out;
    TRY(find_act(e));
    TRY(people_find(e->cx, e->ask->people, e->ask->user, &out->user));
    e->role = role_find(out->user.role);
    if (!e->role)
        return ctx_failf(e->cx, ERR_INVALID, S("user"), "%.*s has a role this server does not "
                         "know: %.*s", STR_ARG(out->user.name), STR_ARG(out->user.role));
    TRY(find_thing(e));
    TRY(standing_find(e->cx, e->ask->standings, &out->user, e->role, &e->patients));
    gather(e);
    say_person(e);
    say_role(e);
    TRY(say_relationship(e));
    say_glass(e);
    TRY(say_dissent(e));
    say_labels(e);
    say_verdict(e);
    return ERR_OK;
}

err explain(struct ctx *cx, const struct explain_ask *ask, struct explain_answer *out)
{
    struct explaining e = { .cx = cx, .ask = ask, .out = out };
    const struct store_access *before = cx->access;
    *out = (struct explain_answer){ .resource = ask->resource, .interaction = ask->interaction };
    cx->access = NULL; /* the question is what another may see */
    err result = explain_as(&e);
    cx->access = before;
    return result;
}

str explain_json(struct ctx *cx, const struct explain_answer *answer)
{
    struct buf buf = buf_make(cx->arena, TEXT_BYTES);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_put_str(&w, "user", answer->user.name);
    json_put_str(&w, "role", answer->user.role);
    json_put_str(&w, "resource", answer->resource);
    json_put_str(&w, "interaction", answer->interaction);
    json_put_bool(&w, "allowed", answer->decision.allowed);
    json_put_bool(&w, "mayBreakGlass", answer->decision.may_break_glass);
    json_put_str(&w, "verdict", answer->verdict);
    json_key(&w, "rules");
    json_open(&w, '[');
    for (size_t i = 0; i < answer->lines_count; i++) {
        json_open(&w, '{');
        json_put_str(&w, "rule", str_of(answer->lines[i].rule));
        json_put_bool(&w, "passed", answer->lines[i].passed);
        json_put_str(&w, "detail", answer->lines[i].detail);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_close(&w, '}');
    return buf_str(&buf);
}

str explain_text(struct ctx *cx, const struct explain_answer *answer)
{
    struct buf buf = buf_make(cx->arena, TEXT_BYTES);
    for (size_t i = 0; i < answer->lines_count; i++)
        buf_printf(&buf, "%-4s %-17s %.*s\n", answer->lines[i].passed ? "yes" : "no",
                   answer->lines[i].rule, STR_ARG(answer->lines[i].detail));
    buf_printf(&buf, "\n%.*s\n", STR_ARG(answer->verdict));
    return buf_str(&buf);
}
