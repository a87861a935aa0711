/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/audit_log.h"
#include "auth/dissent.h"
#include "auth/step_up.h"

/* Every write passes here, whoever's route it came by: with the type alone before the record is
 * looked at, and with the old and the new version in hand. */

static err refuse(struct ctx *cx, enum decide_rule rule)
{
    return ctx_fail(cx, ERR_FORBIDDEN, (str){ 0 }, str_of(decide_rule_text(rule)));
}

/* An update may turn out to create: either letter lets it be tried. */
err gate_ask_write(struct ctx *cx, const struct commit_part *part, const struct commit_op *op)
{
    static const enum decide_act acts[] = {
        [COMMIT_CREATE] = DECIDE_CREATE, [COMMIT_UPDATE] = DECIDE_UPDATE,
        [COMMIT_PATCH] = DECIDE_UPDATE, [COMMIT_DELETE] = DECIDE_DELETE,
    };
    (void)part;
    const struct user *user = cx->user;
    struct decide_thing thing = { .resource = op->resource };
    if (!user || op->granted)
        return ERR_OK;
    struct decide_answer answer = decide(&user->asker, acts[op->verb], &thing);
    if (!answer.allowed && op->verb == COMMIT_UPDATE)
        answer = decide(&user->asker, DECIDE_CREATE, &thing);
    return answer.allowed ? ERR_OK : refuse(cx, answer.rule);
}

static bool has_pid(const int64_t *pids, size_t count, int64_t pid)
{
    for (size_t i = 0; i < count; i++)
        if (pids[i] == pid)
            return true;
    return false;
}

static bool is_patient(int64_t rid)
{
    return rid && store_rid_resource(rid) == fhir_resource_find(S("Patient"));
}

static enum decide_act act_of(const struct commit_change *change)
{
    bool had = json_kind(change->before) != JSON_ABSENT;
    bool has = json_kind(change->after) != JSON_ABSENT;
    return !has ? DECIDE_DELETE : had ? DECIDE_UPDATE : DECIDE_CREATE;
}

/* A new patient, or one registered in the same transaction, has no relationships yet. */
static bool is_new_patient(const struct commit_change *change, str id)
{
    uint16_t patient = fhir_resource_find(S("Patient"));
    for (size_t i = 0; i < change->commit->ops_count; i++) {
        const struct commit_op *op = &change->commit->ops[i];
        if (op->resource == patient && op->outcome == COMMIT_CREATED && str_eq(op->id, id))
            return true;
    }
    return false;
}

static bool dissents(const struct user *user, int64_t pid, uint16_t resource)
{
    for (size_t i = 0; i < user->patients.dissents_count; i++) {
        const struct access_dissent *dissent = &user->patients.dissents[i];
        if (dissent->pid == pid &&
            (dissent->resource == FHIR_NONE || dissent->resource == resource))
            return true;
    }
    return false;
}

/* One of the patients a change touches: whose it was, and whose it becomes. One who is not there
 * is nobody's to write about: else who is there and hidden would show. */
static void add_patient(const struct user *user, const struct commit_change *change, int64_t pid,
                        struct decide_thing *thing)
{
    const struct decide_patients *patients = &user->patients;
    bool known = has_pid(patients->pids, patients->pids_count, pid);
    thing->in_compartment = true;
    thing->related = thing->related && known;
    thing->own = thing->own && known;
    thing->glass_broken = thing->glass_broken &&
                          has_pid(patients->lifted, patients->lifted_count, pid);
    thing->dissented = thing->dissented || dissents(user, pid, change->op->resource);
}

static struct decide_thing thing_of(const struct user *user, const struct commit_change *change,
                                    enum decide_act act)
{
    struct decide_thing thing = {
        .resource = change->op->resource, .own = true, .related = true, .glass_broken = true,
        .labels = decide_labels(change->before) | decide_labels(change->after),
    };
    if (act != DECIDE_CREATE && is_patient(change->pid))
        add_patient(user, change, change->pid, &thing);
    bool moves = change->about_pid != change->pid || act == DECIDE_CREATE;
    if (change->about.n && moves && !is_new_patient(change, change->about))
        add_patient(user, change, change->about_pid, &thing);
    if (!thing.in_compartment)
        thing.own = thing.related = thing.glass_broken = false;
    return thing;
}

/* Through a system's own page, where its permission decided, whoever moves patients may move one
 * who is still on the way to them: the relationship begins with that. */
static bool is_flow(const struct user *user, const struct decide_thing *thing)
{
    return user->by_system && role_group_of(thing->resource) == ROLE_FLOW;
}

static err check_labels(struct ctx *cx, const struct user *user,
                        const struct commit_change *change)
{
    bool update = json_kind(change->before) != JSON_ABSENT &&
                  json_kind(change->after) != JSON_ABSENT;
    bool changed = update && decide_labels(change->before) != decide_labels(change->after);
    if (!changed || !user->person.name.n ||
        step_up_is_fresh("label_change", user->proved_ms, cx->now_ms))
        return ERR_OK;
    return step_up_refuse(cx, "label_change");
}

static bool names(struct ctx *cx, struct json schedule, str who)
{
    for (struct json_walk w = json_walk(json_get(schedule, S("actor"))); json_next(&w);)
        if (str_eq(json_string(cx->arena, json_get(w.value, S("reference"))), who))
            return true;
    return false;
}

/* Who writes the rota says who sees a ward: some write anybody's shifts, some others' only. A
 * service is bound by its contract. */
static err check_rota(struct ctx *cx, const struct user *user, const struct commit_change *change)
{
    const struct role *role = user->asker.role;
    if (change->op->resource != fhir_resource_find(S("Schedule")) || !user->person.name.n ||
        (!relation_is_shift(change->before) && !relation_is_shift(change->after)) ||
        role_permits(role, S("rota.write")) ||
        (role_permits(role, S("obs.rota")) && !names(cx, change->after, user->self)))
        return ERR_OK;
    return ctx_fail(cx, ERR_FORBIDDEN, (str){ 0 },
                    S("a shift of the rota opens the records of its ward: ask the nurse in charge "
                      "or the site team to write it"));
}

static bool sets_target(struct json request)
{
    static const char url[] = "https://frontline.example/StructureDefinition/oxygen-target";
    for (struct json_walk w = json_walk(json_get(request, S("extension"))); json_next(&w);)
        if (json_string_is(json_get(w.value, S("url")), S(url)))
            return true;
    return false;
}

/* A lower oxygen target makes a saturation of 88 % score nothing: who may not decide it on the
 * screen may not by the interface either. */
static err check_target(struct ctx *cx, const struct user *user,
                        const struct commit_change *change)
{
    if (change->op->resource != fhir_resource_find(S("MedicationRequest")) ||
        !user->person.name.n || (!sets_target(change->before) && !sets_target(change->after)) ||
        role_permits(user->asker.role, S("obs.decide")))
        return ERR_OK;
    return ctx_fail(cx, ERR_FORBIDDEN, (str){ 0 },
                    S("an oxygen target is a doctor's or outreach's decision: ask one of them"));
}

static err is_outside(struct ctx *cx, struct store *store, const struct commit_change *change,
                      enum decide_act act, bool *out)
{
    struct gate_act wanted = { &cx->user->asker, act, change->op->resource };
    bool before = false, after = false;
    if (json_kind(change->before) != JSON_ABSENT)
        TRY(gate_outside_scope(cx, store, &wanted, change->before, &before));
    if (json_kind(change->after) != JSON_ABSENT)
        TRY(gate_outside_scope(cx, store, &wanted, change->after, &after));
    *out = before || after;
    return ERR_OK;
}

err gate_check_write(struct ctx *cx, const struct commit_part *part,
                     const struct commit_change *change, void **prepared)
{
    const struct user *user = cx->user;
    *prepared = NULL;
    if (!user || change->op->granted)
        return ERR_OK;
    enum decide_act act = act_of(change);
    struct decide_thing thing = thing_of(user, change, act);
    TRY(is_outside(cx, gate_store(part->self), change, act, &thing.outside_scope));
    if (is_flow(user, &thing))
        thing.related = true;
    struct decide_answer answer = decide(&user->asker, act, &thing);
    if (!answer.allowed)
        return refuse(cx, answer.rule);
    TRY(check_rota(cx, user, change));
    TRY(check_target(cx, user, change));
    return check_labels(cx, user, change);
}

err gate_write(struct ctx *cx, const struct commit_part *part, struct db *db,
               const struct commit_change *change, void *prepared)
{
    if (change->op->resource == fhir_resource_find(S("Consent")))
        gate_consent_written(part->self);
    return audit_write_change(cx, part, db, change, prepared);
}
