/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/gate.h"
#include "systems/beds/move_call.h"
#include "ui/page.h"
#include <string.h>

/* ---- before a bed is taken ---- */

static enum beds_sex sex_of(char letter)
{
    return letter == 'f' ? BEDS_FEMALE : letter == 'm' ? BEDS_MALE : BEDS_SEX_ANY;
}

static bool says_yes(const struct beds_call *call, const char *name)
{
    str text = beds_input(call, name);
    return str_eq(text, S("1")) || str_eq(text, S("true")) || str_eq(text, S("yes"));
}

/* What the patient's own record says comes first, then the request, then what was typed. */
void beds_wants(struct beds_call *call)
{
    const struct beds_stay *person = &call->stay;
    const struct beds_request asked = call->wanted;
    str isolation = beds_input(call, "isolation");
    call->wanted = (struct beds_request){
        .sex = sex_of(person->sex), .age_years = ui_age_years(str_of(person->born),
                                                              call->cx->now_ms),
        .isolation = person->isolation || str_eq(isolation, S("needed")) ? BEDS_ISOLATION_NEEDED
                     : asked.isolation != BEDS_ISOLATION_UNKNOWN ? asked.isolation
                     : str_eq(isolation, S("none")) ? BEDS_ISOLATION_NONE
                                                    : BEDS_ISOLATION_UNKNOWN,
        .airborne = asked.airborne || says_yes(call, "airborne"),
        .needs_monitor = asked.needs_monitor || says_yes(call, "monitor"),
        .needs_oxygen = asked.needs_oxygen || says_yes(call, "oxygen"),
        .bariatric = asked.bariatric || says_yes(call, "bariatric"),
        .specialty = person->specialty[0] ? str_of(person->specialty)
                     : asked.specialty.n  ? asked.specialty : beds_input(call, "specialty"),
        .reserved_stay = str_of(person->id),
    };
}

static struct beds_bed bed_now(const struct beds_call *call, int32_t spot)
{
    struct beds_bed bed = beds_bed_at(call->picture, spot);
    bed.state = beds_state_at(call->picture, spot, call->cx->now_ms);
    return bed;
}

/* A bed that nothing speaks against ends the search: there is no better. */
err beds_next_best(struct beds_call *call)
{
    struct ctx *cx = call->cx;
    const struct beds_picture *picture = call->picture;
    struct beds_suggestion best = { .hard_count = SIZE_MAX, .reasons_count = 1 };
    int32_t at = BEDS_NONE;
    str *free_beds;
    size_t count;
    TRY(beds_free_beds(cx, &free_beds, &count));
    for (size_t i = 0; i < count && best.reasons_count > 0; i++) {
        TRY(beds_picture_add_bed(cx, call->picture, free_beds[i]));
        int32_t spot = beds_find_spot(picture, free_beds[i]);
        if (spot == BEDS_NONE || str_eq(free_beds[i], call->to))
            continue;
        struct beds_bed bed = bed_now(call, spot);
        struct beds_suggestion one = beds_judge(&call->wanted, &bed);
        if (one.hard_count == 0 && (at == BEDS_NONE || one.score > best.score)) {
            best = one;
            at = spot;
        }
    }
    const struct beds_spot *spot = at == BEDS_NONE ? NULL : &picture->spots[at];
    str text = !spot ? S("no other bed suits now")
               : arena_printf(cx->arena, "next best: %s, %s (Location/%s)", spot->name,
                              spot->ward == BEDS_NONE ? "" : picture->spots[spot->ward].name,
                              spot->id);
    issues_note(&cx->issues, (struct issue){ .kind = ERR_CONFLICT, .path = S("next-best"),
                                             .severity = ISSUE_INFORMATION, .text = text });
    return ERR_OK;
}

/* Nobody signed in means --open, where all is allowed; a service's token may do what it may. */
static bool may_decide(const struct ctx *cx, const struct beds_refusal_kind *kind)
{
    const struct role *role = cx->user ? cx->user->asker.role : NULL;
    if (!kind->overridden_by)
        return false;
    return !cx->user || (role && (strcmp(role->name, kind->overridden_by->role) == 0 ||
                                  strcmp(role->name, "service") == 0));
}

/* A reason, and the right person for every hard rule there is; those set aside are noted. */
static bool may_override(struct beds_call *call, const struct beds_suggestion *judged)
{
    struct buf rules = buf_make(call->cx->arena, BEDS_INPUT_MAX);
    if (str_trim(beds_input(call, "override")).n < 3)
        return false;
    for (size_t i = 0; i < judged->reasons_count; i++) {
        const struct beds_refusal_kind *kind = &beds_refusals[judged->reasons[i]];
        if (!kind->hard)
            continue;
        if (!may_decide(call->cx, kind))
            return false;
        buf_printf(&rules, "%s%s", rules.n ? ", " : "", kind->code);
    }
    if (call->set_aside.n)
        buf_printf(&rules, ", %.*s", STR_ARG(call->set_aside));
    call->set_aside = buf_str(&rules);
    return true;
}

static err refuse(struct beds_call *call, const struct beds_suggestion *judged)
{
    err worst = ERR_RULE;
    for (size_t i = 0; i < judged->reasons_count; i++) {
        enum beds_refusal reason = judged->reasons[i];
        const struct beds_refusal_kind *kind = &beds_refusals[reason];
        bool taken = reason == BEDS_IS_OCCUPIED || reason == BEDS_IS_RESERVED;
        str holder = bed_now(call, beds_find_spot(call->picture, call->to)).held_by;
        if (!kind->hard)
            continue;
        worst = taken ? ERR_CONFLICT : worst;
        (void)ctx_failf(call->cx, taken ? ERR_CONFLICT : ERR_RULE, str_of(kind->code),
                        "%s (rule: %s%s%.*s; may be overridden by: %s)", kind->text, kind->code,
                        taken && holder.n ? "; holder: Encounter/" : "",
                        taken ? (int)holder.n : 0, holder.p ? holder.p : "",
                        kind->overridden_by ? kind->overridden_by->title : "nobody");
    }
    if (str_trim(beds_input(call, "override")).n)
        issues_note(&call->cx->issues, (struct issue){ .kind = worst, .path = S("override"),
            .severity = ISSUE_INFORMATION, .text = S("the override was not taken: it needs a "
            "reason, and a person whom every rule named here allows to override it") });
    TRY(beds_next_best(call));
    return worst;
}

err beds_take(struct beds_call *call, int32_t spot)
{
    const struct beds_spot *to = &call->picture->spots[spot];
    const struct beds_stay *holder = to->stay == BEDS_NONE ? NULL : &call->picture->stays[to->stay];
    struct beds_bed bed = bed_now(call, spot);
    /* Kept for this very patient, by whichever stay. */
    if (!call->keeps && holder && holder->reserved && call->stay.patient[0] &&
        strcmp(holder->patient, call->stay.patient) == 0)
        call->wanted.reserved_stay = bed.held_by;
    struct beds_suggestion judged = beds_judge(&call->wanted, &bed);
    call->to = arena_copy(call->cx->arena, bed.id);
    if (judged.hard_count && !may_override(call, &judged))
        return refuse(call, &judged);
    call->taken = judged;
    if (holder && holder->reserved && strcmp(holder->id, call->stay.id) != 0) {
        beds_change(call, "Encounter", str_of(holder->id), (struct beds_edit){
            .write = bed.state == BEDS_RESERVED ? beds_edit_finish : beds_edit_expire,
            .text = S("cancelled") });
        call->ops[call->ops_count - 1].granted = bed.state != BEDS_RESERVED;
    }
    if (to->v2 == 'H' || to->v2 == 'C')
        beds_set_spot(call, spot, 'U', S(""));
    return ERR_OK;
}

/* Who asks, as the record and the log know them. */
static str who(const struct ctx *cx)
{
    if (!cx->user)
        return S("not signed in");
    return cx->user->person.name.n ? cx->user->person.name : cx->user->client;
}

static void put_part(struct buf *buf, const char *name, str text)
{
    buf_printf(buf, ",{\"url\":\"%s\",\"valueString\":\"", name);
    json_escape(buf, text);
    buf_add(buf, S("\"}"));
}

str beds_override(struct beds_call *call)
{
    struct ctx *cx = call->cx;
    struct buf buf = buf_make(cx->arena, BEDS_INPUT_MAX);
    const struct role *role = cx->user ? cx->user->asker.role : NULL;
    if (!call->set_aside.n)
        return (str){ 0 };
    buf_printf(&buf, "\"extension\":[{\"url\":\"at\",\"valueDateTime\":\"%.*s\"}",
               STR_ARG(beds_when(cx, cx->now_ms)));
    put_part(&buf, "rule", call->set_aside);
    put_part(&buf, "who", who(cx));
    put_part(&buf, "role", role ? str_of(role->title) : S("none"));
    put_part(&buf, "reason", str_slice(str_trim(beds_input(call, "override")), 0, BEDS_NOTE_MAX));
    buf_char(&buf, ']');
    return buf_str(&buf);
}

/* One bed a patient: the board would otherwise show one person twice. */
err beds_check_not_in(struct beds_call *call, const struct beds_stay *person)
{
    if (person->patient[0])
        TRY(beds_picture_add_patient(call->cx, call->picture, str_of(person->patient)));
    for (size_t i = 0; i < call->picture->stays_count; i++) {
        const struct beds_stay *stay = &call->picture->stays[i];
        if (!stay->reserved && person->patient[0] &&
            strcmp(stay->patient, person->patient) == 0)
            return ctx_failf(call->cx, ERR_CONFLICT, S("patient"),
                             "this patient already lies in %s (rule: one bed a patient; holder: "
                             "Encounter/%s): transfer that stay",
                             call->picture->spots[stay->bed].name, stay->id);
    }
    return ERR_OK;
}
