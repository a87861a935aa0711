/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/moves.h"
#include "auth/gate.h"
#include "clinical/london.h"
#include "http/text.h"
#include "systems/beds/edit.h"
#include "systems/beds/picture_read.h"
#include "ui/page.h"

enum { OPS_MAX = 6, RESERVE_MINUTES = 60, INPUT_BYTES_MAX = 1 << 16, NOTE_MAX = 200 };

/* One move while it is being made. */
struct call {
    struct http_request *request;
    struct ctx *cx;
    struct beds_picture *picture; /* the beds, stays and patients the move names, no more */
    struct commit commit;
    size_t move;                 /* row of beds_moves_list */
    struct json body;            /* when JSON was sent */
    struct commit_op ops[OPS_MAX];
    size_t ops_count;
    struct beds_request wanted;  /* who is to lie there, for the rules */
    struct beds_stay stay;       /* a copy: the picture grows */
    str to;                      /* the bed wanted */
    str encounter;               /* the stay moved, for the worklist */
    bool to_worklist;            /* a conflict becomes a task for the bed manager */
    beds_refused_move *refused;  /* draws a refusal; NULL: the caller is told */
};

/* ---- inputs ---- */

static str input(const struct call *call, const char *name)
{
    if (call->body.doc)
        return json_string(call->cx->arena, json_get(call->body, str_of(name)));
    return http_query_value(call->cx->arena, call->request->body, str_of(name));
}

static err need(const struct call *call, const char *name, str *out)
{
    *out = str_trim(input(call, name));
    if (out->n > 0 && out->n < BEDS_ID_BYTES)
        return ERR_OK;
    return ctx_failf(call->cx, ERR_INVALID, str_of(name), "%s must be given", name);
}

/* An id, or a reference of the type. */
static err need_id(const struct call *call, const char *name, const char *type, str *out)
{
    TRY(need(call, name, out));
    size_t slash = str_find_char(*out, '/');
    if (slash != STR_NONE && str_eq(str_slice(*out, 0, slash), str_of(type)))
        *out = str_slice(*out, slash + 1, out->n);
    return ERR_OK;
}

static err need_bed(struct call *call, const char *name, int32_t *out)
{
    str id;
    TRY(need_id(call, name, "Location", &id));
    TRY(beds_picture_add_bed(call->cx, call->picture, id));
    *out = beds_find_spot(call->picture, id);
    if (*out != BEDS_NONE && strcmp(call->picture->spots[*out].kind, "bd") == 0)
        return ERR_OK;
    return ctx_failf(call->cx, ERR_NOT_FOUND, str_of(name), "there is no bed %.*s", STR_ARG(id));
}

/* A stay that holds a bed. */
static err need_stay(struct call *call, const char *name, struct beds_stay *out)
{
    str id;
    TRY(need_id(call, name, "Encounter", &id));
    TRY(beds_picture_add_stay(call->cx, call->picture, id));
    int32_t at = beds_find_stay(call->picture, id);
    if (at == BEDS_NONE)
        return ctx_failf(call->cx, ERR_NOT_FOUND, str_of(name), "no stay %.*s holds a bed",
                         STR_ARG(id));
    *out = call->picture->stays[at];
    call->encounter = id;
    return ERR_OK;
}

/* The record says whether this person may see the patient; the view, who it is. */
static err read_person(struct call *call, str id, struct beds_stay *out)
{
    struct store_version version;
    TRY(store_read(call->cx, call->request->store, fhir_resource_find(S("Patient")), id, &version));
    TRY(beds_read_person(call->cx, id, out));
    snprintf(out->patient, sizeof out->patient, "%.*s", STR_ARG(id));
    return ERR_OK;
}

/* A stay that may not have a bed yet: a planned admission, somebody in the emergency department. */
static err need_arrival(struct call *call, struct beds_stay *out)
{
    struct store_version version;
    struct json body;
    str id;
    TRY(need_id(call, "encounter", "Encounter", &id));
    TRY(beds_picture_add_stay(call->cx, call->picture, id));
    if (beds_find_stay(call->picture, id) != BEDS_NONE)
        return need_stay(call, "encounter", out);
    TRY(store_read(call->cx, call->request->store, fhir_resource_find(S("Encounter")), id,
                   &version));
    TRY(json_parse(call->cx, version.body, &body));
    str patient = beds_read_reference(call->cx, json_get(body, S("subject")), "Patient");
    call->encounter = id;
    *out = (struct beds_stay){ .bed = BEDS_NONE };
    snprintf(out->id, sizeof out->id, "%.*s", STR_ARG(id));
    return str_given(patient) ? read_person(call, patient, out) : ERR_OK;
}

static struct commit_op *add_op(struct call *call)
{
    return &call->ops[call->ops_count++];
}

/* Texts are copied: they may lie in the picture or on the stack, and the writer comes later. */
static void edit(struct call *call, const char *type, str id, struct beds_edit what)
{
    what.bed = arena_copy(call->cx->arena, what.bed);
    what.text = arena_copy(call->cx->arena, what.text);
    *add_op(call) = beds_edit_op(call->cx, type, arena_copy(call->cx->arena, id), &what);
}

static void set_spot(struct call *call, int32_t spot, char v2, str note)
{
    edit(call, "Location", str_of(call->picture->spots[spot].id),
         (struct beds_edit){ .write = beds_edit_spot, .v2 = v2, .text = note });
}

/* The bed a patient left: how it must be cleaned, and by when. */
static void vacate(struct call *call, const struct beds_stay *stay)
{
    const struct beds_clean_kind *kind = &beds_cleans[beds_clean_after(stay->isolation, false)];
    int64_t by_ms = call->cx->now_ms + (int64_t)kind->minutes * 60000;
    set_spot(call, stay->bed, 'K', arena_printf(call->cx->arena, "%s by %.*s", kind->name,
             STR_ARG(ui_clock(call->cx, by_ms))));
}

/* ---- the rules before a bed is taken ---- */

static enum beds_sex sex_of(char letter)
{
    return letter == 'f' ? BEDS_FEMALE : letter == 'm' ? BEDS_MALE : BEDS_SEX_ANY;
}

static void wants(struct call *call)
{
    const struct beds_stay *person = &call->stay;
    str isolation = input(call, "isolation");
    call->wanted = (struct beds_request){
        .sex = sex_of(person->sex), .age_years = ui_age_years(str_of(person->born),
                                                              call->cx->now_ms),
        .isolation = person->isolation || str_eq(isolation, S("needed")) ? BEDS_ISOLATION_NEEDED
                     : str_eq(isolation, S("none")) ? BEDS_ISOLATION_NONE
                                                    : BEDS_ISOLATION_UNKNOWN,
        .specialty = person->specialty[0] ? str_of(person->specialty)
                                          : input(call, "specialty"),
        .reserved_stay = str_of(person->id),
    };
}

static struct beds_bed bed_now(const struct call *call, int32_t spot)
{
    struct beds_bed bed = beds_bed_at(call->picture, spot);
    bed.state = beds_state_at(call->picture, spot, call->cx->now_ms);
    return bed;
}

static err tell_next_best(struct call *call)
{
    struct ctx *cx = call->cx;
    const struct beds_picture *picture = call->picture;
    TRY(beds_picture_add_free(cx, call->picture));
    struct beds_suggestion best = { .hard_count = SIZE_MAX };
    int32_t at = BEDS_NONE;
    for (size_t i = 0; i < picture->spots_count; i++) {
        const struct beds_spot *spot = &picture->spots[i];
        if (strcmp(spot->kind, "bd") != 0 || str_eq(str_of(spot->id), call->to))
            continue;
        struct beds_bed bed = bed_now(call, (int32_t)i);
        struct beds_suggestion one = beds_judge(&call->wanted, &bed);
        if (one.hard_count == 0 && (at == BEDS_NONE || one.score > best.score)) {
            best = one;
            at = (int32_t)i;
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

/* Nobody signed in means --open, where all is allowed. A clerk may move people, not override. */
static bool may_decide(const struct ctx *cx)
{
    return !cx->user || (cx->user->asker.role &&
                         role_permits(cx->user->asker.role, S("beds.override")));
}

static bool may_override(struct call *call, const struct beds_suggestion *judged)
{
    if (input(call, "override").n < 3 || !may_decide(call->cx))
        return false;
    for (size_t i = 0; i < judged->reasons_count; i++)
        if (beds_refusals[judged->reasons[i]].hard &&
            !beds_refusals[judged->reasons[i]].overridden_by)
            return false;
    return true;
}

static err refuse(struct call *call, const struct beds_suggestion *judged)
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
                        kind->overridden_by ? kind->overridden_by : "nobody");
    }
    TRY(tell_next_best(call));
    return worst;
}

/* Checks the rules for the bed, and takes over a reservation that has run out. The claim decides
 * among those who pass at the same moment. */
static err take_bed(struct call *call, int32_t spot)
{
    const struct beds_spot *to = &call->picture->spots[spot];
    struct beds_bed bed = bed_now(call, spot);
    struct beds_suggestion judged = beds_judge(&call->wanted, &bed);
    call->to = arena_copy(call->cx->arena, bed.id);
    if (judged.hard_count && !may_override(call, &judged))
        return refuse(call, &judged);
    const struct beds_stay *holder = to->stay == BEDS_NONE ? NULL : &call->picture->stays[to->stay];
    if (holder && holder->reserved && !str_eq(str_of(holder->id), call->wanted.reserved_stay))
        edit(call, "Encounter", str_of(holder->id),
             (struct beds_edit){ .write = beds_edit_finish, .text = S("cancelled") });
    if (to->v2 == 'H')
        set_spot(call, spot, 'U', S(""));
    return ERR_OK;
}

/* Kept on the stay: which rule was set aside, why, and by whom. */
static str override_json(struct call *call)
{
    struct buf buf = buf_make(call->cx->arena, INPUT_BYTES_MAX);
    str why = input(call, "override");
    if (why.n < 3)
        return (str){ 0 };
    buf_add(&buf, S("\"valueString\":\""));
    json_escape(&buf, str_slice(why, 0, NOTE_MAX));
    buf_char(&buf, '"');
    return buf_str(&buf);
}

/* ---- the moves ---- */

/* One bed a patient: the board would otherwise show one person twice. */
static err check_not_in(struct call *call, const struct beds_stay *person)
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

static err new_stay(struct call *call, bool reserved, int64_t until_ms)
{
    str patient;
    int32_t bed;
    TRY(need_bed(call, "bed", &bed));
    TRY(need_id(call, "patient", "Patient", &patient));
    TRY(read_person(call, patient, &call->stay));
    TRY(check_not_in(call, &call->stay));
    wants(call);
    TRY(take_bed(call, bed));
    str why = override_json(call);
    if (why.n)
        why = arena_printf(call->cx->arena, "{\"url\":\"" BEDS_URL "rule-override\",%.*s}",
                           STR_ARG(why));
    struct commit_op *op = add_op(call);
    *op = (struct commit_op){ .verb = COMMIT_CREATE,
                              .resource = fhir_resource_find(S("Encounter")) };
    return beds_new_stay(call->cx, &(struct beds_new_stay){
        .bed = str_of(call->picture->spots[bed].id), .patient = str_of(call->stay.patient),
        .specialty = call->wanted.specialty, .reserved = reserved, .until_ms = until_ms,
        .extension = why }, &op->body);
}

static err admit(struct call *call)
{
    int32_t bed;
    if (input(call, "encounter").n == 0)
        return new_stay(call, false, 0);
    TRY(need_bed(call, "bed", &bed));
    TRY(need_arrival(call, &call->stay));
    TRY(check_not_in(call, &call->stay));
    wants(call);
    TRY(take_bed(call, bed));
    edit(call, "Encounter", call->encounter,
         (struct beds_edit){ .write = beds_edit_enter, .more = override_json(call),
                             .bed = str_of(call->picture->spots[bed].id) });
    return ERR_OK;
}

static err reserve(struct call *call)
{
    uint64_t minutes = RESERVE_MINUTES;
    str text = input(call, "minutes");
    if (text.n && (!str_to_u64(text, &minutes) || minutes < 1 || minutes > 7 * 24 * 60))
        return ctx_fail(call->cx, ERR_INVALID, S("minutes"), S("minutes must be 1 to 10080"));
    return new_stay(call, true, call->cx->now_ms + (int64_t)minutes * 60000);
}

static err transfer(struct call *call)
{
    int32_t bed;
    TRY(need_bed(call, "bed", &bed));
    TRY(need_stay(call, "encounter", &call->stay));
    wants(call);
    TRY(take_bed(call, bed));
    vacate(call, &call->stay);
    edit(call, "Encounter", call->encounter,
         (struct beds_edit){ .write = beds_edit_move, .more = override_json(call),
                             .bed = str_of(call->picture->spots[bed].id) });
    return ERR_OK;
}

static err swap(struct call *call)
{
    struct beds_stay a, b;
    TRY(need_stay(call, "encounter", &a));
    TRY(need_stay(call, "with", &b));
    if (a.bed == b.bed)
        return ctx_fail(call->cx, ERR_INVALID, S("with"), S("a stay cannot swap with itself"));
    edit(call, "Encounter", str_of(a.id), (struct beds_edit){ .write = beds_edit_move,
         .bed = str_of(call->picture->spots[b.bed].id) });
    edit(call, "Encounter", str_of(b.id), (struct beds_edit){ .write = beds_edit_move,
         .bed = str_of(call->picture->spots[a.bed].id) });
    return ERR_OK;
}

static err end_stay(struct call *call, const char *status)
{
    TRY(need_stay(call, "encounter", &call->stay));
    edit(call, "Encounter", call->encounter,
         (struct beds_edit){ .write = beds_edit_finish, .text = str_of(status) });
    if (!call->stay.reserved)
        vacate(call, &call->stay);
    return ERR_OK;
}

static err discharge(struct call *call)
{
    return end_stay(call, "finished");
}

static err cancel_stay(struct call *call)
{
    return end_stay(call, "cancelled");
}

static err cancel_discharge(struct call *call)
{
    TRY(need_id(call, "encounter", "Encounter", &call->encounter));
    call->to_worklist = true;
    edit(call, "Encounter", call->encounter, (struct beds_edit){ .write = beds_edit_reopen });
    return ERR_OK;
}

static err cancel_transfer(struct call *call)
{
    TRY(need_stay(call, "encounter", &call->stay));
    call->to_worklist = true;
    edit(call, "Encounter", call->encounter, (struct beds_edit){ .write = beds_edit_back });
    return ERR_OK;
}

static err set_status(struct call *call, const char *status)
{
    TRY(need_stay(call, "encounter", &call->stay));
    edit(call, "Encounter", call->encounter,
         (struct beds_edit){ .write = beds_edit_status, .text = str_of(status) });
    return ERR_OK;
}

static err leave(struct call *call)
{
    return set_status(call, "onleave");
}

static err come_back(struct call *call)
{
    return set_status(call, "in-progress");
}

static err change_bed(struct call *call, enum beds_event event, str note)
{
    int32_t bed;
    enum beds_state next;
    TRY(need_bed(call, "bed", &bed));
    TRY(beds_next(&call->cx->issues, beds_state_at(call->picture, bed, call->cx->now_ms), event,
                  &next));
    char v2 = next == BEDS_DIRTY ? 'K' : next == BEDS_CLEANING ? 'H' : next == BEDS_CLOSED ? 'C'
                                                                                           : 'U';
    set_spot(call, bed, v2, note);
    return ERR_OK;
}

static err clean(struct call *call)
{
    return change_bed(call, BEDS_CLEAN_BEGIN, S(""));
}

static err cleaned(struct call *call)
{
    return change_bed(call, BEDS_CLEAN_END, S(""));
}

static err close_bed(struct call *call)
{
    str why = str_trim(input(call, "why")), until = str_trim(input(call, "until"));
    if (why.n < 3)
        return ctx_fail(call->cx, ERR_INVALID, S("why"),
                        S("say why the bed is closed: staffing, infection, maintenance ..."));
    return change_bed(call, BEDS_CLOSE, arena_printf(call->cx->arena, "%.*s%s%.*s",
        STR_ARG(str_slice(why, 0, NOTE_MAX)), until.n ? " until " : "", STR_ARG(until)));
}

static err open_bed(struct call *call)
{
    return change_bed(call, BEDS_OPEN, S("clean before use"));
}

/* ---- discharge planning ---- */

static err need_date(struct call *call, const char *name, str *out)
{
    TRY(need(call, name, out));
    bool shaped = out->n == 10 && out->p[4] == '-' && out->p[7] == '-';
    for (size_t i = 0; shaped && i < out->n; i++)
        shaped = i == 4 || i == 7 || (out->p[i] >= '0' && out->p[i] <= '9');
    return shaped ? ERR_OK : ctx_failf(call->cx, ERR_INVALID, str_of(name),
                                       "%s must be a date such as 2026-11-22", name);
}

static err put_extension(struct call *call, str name, str more)
{
    TRY(need_stay(call, "encounter", &call->stay));
    edit(call, "Encounter", call->encounter,
         (struct beds_edit){ .write = beds_edit_extension, .text = name, .more = more });
    return ERR_OK;
}

static err plan_discharge(struct call *call)
{
    str date;
    TRY(need_date(call, "date", &date));
    return put_extension(call, S("estimated-discharge-date"),
                         arena_printf(call->cx->arena, "\"valueDate\":\"%.*s\"", STR_ARG(date)));
}

static err set_pathway(struct call *call)
{
    str pathway;
    TRY(need(call, "pathway", &pathway));
    for (size_t i = 0; i < COUNT(beds_pathways); i++)
        if (str_eq(pathway, str_of(beds_pathways[i].code)))
            return put_extension(call, S("discharge-pathway"),
                                 arena_printf(call->cx->arena, "\"valueCode\":\"%.*s\"",
                                              STR_ARG(pathway)));
    return ctx_fail(call->cx, ERR_INVALID, S("pathway"), S("pathway must be P0, P1, P2 or P3"));
}

static bool is_criterion(str code)
{
    for (size_t i = 0; i < beds_criteria_count; i++)
        if (str_eq(code, str_of(beds_criteria[i].code)))
            return true;
    return false;
}

/* criteria: codes met, comma between; none: no longer meets the criteria to reside. */
static err ward_round(struct call *call)
{
    struct ctx *cx = call->cx;
    str criteria = str_trim(input(call, "criteria")), code;
    bool meets = criteria.n > 0 && !str_eq(criteria, S("none"));
    struct buf buf = buf_make(cx->arena, INPUT_BYTES_MAX);
    if (criteria.n == 0)
        return ctx_fail(cx, ERR_INVALID, S("criteria"),
                        S("give the codes of the criteria met, or none"));
    buf_printf(&buf, "\"extension\":[{\"url\":\"day\",\"valueDate\":\"%.*s\"},"
               "{\"url\":\"answer\",\"valueCode\":\"%s\"}",
               STR_ARG(str_slice(beds_when(cx, cx->now_ms), 0, 10)), meets ? "meets" : "not");
    for (str rest = criteria; meets && str_next(&rest, ',', &code);) {
        if (!is_criterion(str_trim(code)))
            return ctx_failf(cx, ERR_INVALID, S("criteria"), "there is no criterion %.*s",
                             STR_ARG(code));
        buf_printf(&buf, ",{\"url\":\"criterion\",\"valueCode\":\"%.*s\"}",
                   STR_ARG(str_trim(code)));
    }
    buf_char(&buf, ']');
    return put_extension(call, S("reside-round"), buf_str(&buf));
}

/* ---- the table, and the way through ---- */

const struct beds_move beds_moves_list[] = {
    { "admit", "bed, patient or encounter", "Put a patient in a free bed" },
    { "reserve", "bed, patient, minutes", "Keep a bed for somebody, until the time runs out" },
    { "transfer", "encounter, bed", "Move a stay to another bed; the old one goes to cleaning" },
    { "swap", "encounter, with", "Two stays change beds" },
    { "discharge", "encounter", "End a stay; its bed goes to cleaning" },
    { "cancel", "encounter", "Cancel an admission or a reservation" },
    { "cancel-discharge", "encounter", "Take a discharge back, if the bed is still free" },
    { "cancel-transfer", "encounter", "Take a transfer back, if the bed is still free" },
    { "leave", "encounter", "Home leave: the bed is kept" },
    { "return", "encounter", "Back from home leave" },
    { "clean", "bed", "Cleaning begins" },
    { "cleaned", "bed", "Cleaning is done: the bed is free" },
    { "close", "bed, why, until", "Close an empty bed" },
    { "open", "bed", "Open a closed bed; it is cleaned first" },
    { "round", "encounter, criteria", "Criteria to reside, as the ward round found them" },
    { "edd", "encounter, date", "Estimated date of discharge, set by a person" },
    { "pathway", "encounter, pathway", "Discharge pathway P0 to P3" },
};
const size_t beds_moves_count = COUNT(beds_moves_list);

static err (*const makers[COUNT(beds_moves_list)])(struct call *) = {
    admit, reserve, transfer, swap, discharge, cancel_stay, cancel_discharge, cancel_transfer,
    leave, come_back, clean, cleaned, close_bed, open_bed, ward_round, plan_discharge, set_pathway,
};

/* A cancel that came too late is nobody's fault and somebody's work: never a double booking. */
static err send_to_worklist(struct call *call)
{
    struct ctx *cx = call->cx;
    struct commit_op op = { .verb = COMMIT_CREATE, .resource = fhir_resource_find(S("Task")) };
    struct commit commit = { .ops = &op, .ops_count = 1, .cx = cx };
    str body = arena_printf(cx->arena,
        "{\"resourceType\":\"Task\",\"status\":\"requested\",\"intent\":\"order\",\"priority\":"
        "\"urgent\",\"code\":{\"text\":\"Bed exception\"},\"description\":\"A cancelled move could "
        "not be undone: the bed was taken again. Find a bed for this patient.\",\"focus\":"
        "{\"reference\":\"Encounter/%.*s\"},\"authoredOn\":\"%.*s\"}", STR_ARG(call->encounter),
        STR_ARG(beds_when(cx, cx->now_ms)));
    TRY(json_parse(cx, body, &op.body));
    TRY(commit_run(cx, call->request->store, &commit));
    issues_note(&cx->issues, (struct issue){ .kind = ERR_CONFLICT, .path = S("worklist"),
        .severity = ISSUE_INFORMATION, .text = arena_printf(cx->arena,
            "put on the bed manager's worklist as Task/%.*s", STR_ARG(op.version.id)) });
    return ERR_OK;
}

static err answer(struct call *call, struct http_response *response)
{
    struct ctx *cx = call->cx;
    str back = input(call, "back"), id = call->encounter;
    for (size_t i = 0; i < call->ops_count; i++)
        if (call->ops[i].resource == fhir_resource_find(S("Encounter")))
            id = call->ops[i].version.id;
    if (back.n > 0 && str_starts(back, S("/beds")) && !call->body.doc) {
        response->status = 303;
        http_put_header(response, S("Location"), back);
        return ERR_OK;
    }
    struct buf buf = buf_make(cx->arena, INPUT_BYTES_MAX);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    if (id.n)
        json_put_str(&w, "encounter", id);
    if (call->ops_count)
        json_put_u64(&w, "seq", (uint64_t)call->ops[call->ops_count - 1].version.seq);
    json_close(&w, '}');
    response->content_type = S("application/json");
    response->body = buf_str(&buf);
    return ERR_OK;
}

static size_t find_move(str name)
{
    size_t at = 0;
    while (at < beds_moves_count && !str_eq(name, str_of(beds_moves_list[at].name)))
        at++;
    return at;
}

/* On disk, or refused there. */
static err finish(struct http_request *request, struct http_response *response)
{
    struct call *call = request->self;
    struct ctx *cx = call->cx;
    err wrong = call->commit.error;
    if (wrong == ERR_CONFLICT && call->to.n) {
        TRY(beds_picture_begin(cx, request->store, &call->picture));
        TRY(tell_next_best(call));
        store_reader_end(cx);
    }
    if (wrong == ERR_CONFLICT && call->to_worklist)
        TRY(send_to_worklist(call));
    if (wrong)
        return call->refused ? call->refused(request, response, wrong) : wrong;
    return answer(call, response);
}

static void wake(struct commit *commit)
{
    http_wake(commit->self);
}

/* Waits for the disk without keeping a thread or a read connection. */
static err submit(struct call *call, struct http_response *response)
{
    struct http_request *request = call->request;
    bool waiting = false;
    call->commit = (struct commit){
        .ops = call->ops, .ops_count = call->ops_count, .cx = call->cx, .done = wake,
        .self = request, .why = arena_printf(call->cx->arena, "beds: %s",
                                             beds_moves_list[call->move].name) };
    request->self = call;
    store_reader_end(call->cx);
    /* Once it waits, the error is the writer's to set, and may be set already. */
    err wrong = commit_submit(call->cx, request->store, &call->commit, &waiting);
    if (!waiting) {
        call->commit.error = wrong;
        return finish(request, response);
    }
    http_wait(request, finish);
    return ERR_OK;
}

static err make(struct call *call, struct http_response *response, str move)
{
    struct http_request *request = call->request;
    struct ctx *cx = call->cx;
    call->move = find_move(move);
    if (call->move == beds_moves_count)
        return ctx_failf(cx, ERR_NOT_FOUND, S(""), "there is no move %.*s", STR_ARG(move));
    if (request->body.n > INPUT_BYTES_MAX)
        return ctx_fail(cx, ERR_LIMIT, S(""), S("a move is a few words"));
    if (str_find(http_header(request, "Content-Type"), S("json")) != STR_NONE) {
        TRY(json_parse(cx, request->body, &call->body));
        if (!json_is(call->body, JSON_OBJECT))
            return ctx_fail(cx, ERR_INVALID, S(""), S("send a JSON object of inputs"));
    }
    TRY(beds_picture_begin(cx, request->store, &call->picture));
    err wrong = makers[call->move](call);
    if (wrong)
        return call->refused ? call->refused(request, response, wrong) : wrong;
    return submit(call, response);
}

err beds_move_for(struct http_request *request, struct http_response *response, str move,
                  beds_refused_move *refused)
{
    struct call *call = arena_zero(request->cx->arena, sizeof *call);
    call->request = request;
    call->cx = request->cx;
    call->refused = refused;
    return make(call, response, move);
}

err beds_move_post(struct http_request *request, struct http_response *response)
{
    return beds_move_for(request, response, request->captures[0], NULL);
}
