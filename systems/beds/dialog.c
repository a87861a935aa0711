/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/dialog.h"
#include "assets.h"
#include "beds_board.html.h"
#include "beds_dialog.html.h"
#include "http/text.h"
#include "store/search.h"
#include "systems/beds/moves.h"
#include "systems/beds/requests.h"
#include "ui/browse.h"
#include "ui_page.html.h"

enum { FOUND_MAX = 10, OFFERED_MAX = 8 };

/* One form while it is drawn. */
struct scene {
    struct http_request *request;
    struct ctx *cx;
    const struct beds_picture *picture;
    const struct beds_spot *spot;      /* the bed it is about */
    const struct beds_stay *stay;      /* who holds it; NULL: nobody */
    struct beds_asked asked;           /* the request it is about; no id: none */
    struct beds_dialog *dialog;
};
/* clang-format off: one row a move that has a form. */
enum { OF_STAY = 1, CONFIRM = 2, WARNS = 4, OF_REQUEST = 8, OF_NONE = 16, OF_TASK = 32 };
static void admit_fields(struct scene *), reserve_fields(struct scene *),
    transfer_fields(struct scene *), swap_fields(struct scene *), close_fields(struct scene *),
    arrive_fields(struct scene *), request_fields(struct scene *), keep_fields(struct scene *),
    place_fields(struct scene *), dirty_fields(struct scene *), resolve_fields(struct scene *),
    why_fields(struct scene *);
static const struct form {
    const char *name, *move, *title, *submit;
    unsigned flags;
    void (*fields)(struct scene *);
    const char *lead;
} forms[] = {
    { "admit", "admit", "Admit a patient", "Admit", CONFIRM, admit_fields,
      "The patient takes this bed now." },
    { "reserve", "reserve", "Reserve a bed", "Reserve", 0, reserve_fields,
      "The bed is kept until the time runs out." },
    { "arrive", "admit", "The patient has arrived", "Admit", OF_STAY | CONFIRM, arrive_fields,
      "The reservation becomes a stay." },
    { "transfer", "transfer", "Move to another bed", "Move", OF_STAY | CONFIRM, transfer_fields,
      "The bed left behind goes to cleaning. Beds are ranked; you decide." },
    { "swap", "swap", "Change beds with another patient", "Change beds", OF_STAY | CONFIRM,
      swap_fields, "Both patients move at the same moment." },
    { "lounge", "lounge", "To the discharge lounge", "Goes to the lounge", OF_STAY | CONFIRM, NULL,
      "The patient waits in the lounge; the bed goes to cleaning." },
    { "discharge", "discharge", "Discharge", "Discharge", OF_STAY | CONFIRM, NULL,
      "The stay ends now and the bed goes to cleaning." },
    { "cancel", "cancel", "Cancel", "Cancel it", OF_STAY | CONFIRM | WARNS, NULL,
      "The stay or reservation is marked as cancelled and the bed is given up. For a patient who "
      "goes home use Discharge." },
    { "cancel-transfer", "cancel-transfer", "Take the last move back", "Take it back",
      OF_STAY | CONFIRM, NULL, "The patient is in the bed before again, if it is still free." },
    { "leave", "leave", "Home leave", "Leaves now", OF_STAY | CONFIRM, NULL,
      "The bed is kept for the patient." },
    { "return", "return", "Back from home leave", "Is back", OF_STAY | CONFIRM, NULL,
      "The patient is in the bed again." },
    { "clean", "clean", "Cleaning begins", "Start", 0, NULL, "The bed shows as being cleaned." },
    { "cleaned", "cleaned", "Cleaning is done", "Done, bed is free", 0, NULL,
      "The bed can be used at once." },
    { "close", "close", "Close this bed", "Close", WARNS, close_fields,
      "Nobody is offered a closed bed." },
    { "dirty", "dirty", "This bed is not clean", "Send to cleaning", 0, dirty_fields,
      "It is taken from the free beds until it has been cleaned." },
    { "request", "request", "Ask for a bed", "Ask", OF_NONE, request_fields,
      "The request joins the list; the bed team chooses a bed." },
    { "keep", "reserve", "Keep a bed", "Keep this bed", OF_REQUEST, keep_fields,
      "Beds are ranked for what was asked; you decide." },
    { "place", "admit", "Put in a bed now", "Put in this bed", OF_REQUEST | CONFIRM, place_fields,
      "Beds are ranked for what was asked; you decide." },
    { "cancel-request", "cancel-request", "The bed is no longer needed", "Take off the list",
      OF_REQUEST | WARNS, why_fields, "The request is closed with your reason." },
    { "resolve", "resolve", "Dealt with", "Mark as dealt with", OF_TASK, resolve_fields,
      "Say what was done: it is kept with the exception." },
    { "open", "open", "Open this bed", "Open", 0, NULL, "It goes to cleaning first." },
};
/* What was done, and the move that takes it back with the same input; NULL: none. */
static const struct { const char *move, *text, *undo; } dones[] = {
    { "admit", "Admitted.", "cancel" },
    { "reserve", "Reserved.", "cancel" },
    { "arrive", "Admitted.", NULL },
    { "transfer", "Moved. The bed left behind goes to cleaning.", "cancel-transfer" },
    { "swap", "Beds changed.", NULL },
    { "lounge", "In the discharge lounge. The bed goes to cleaning.", "cancel-transfer" },
    { "discharge", "Discharged. The bed goes to cleaning.", "cancel-discharge" },
    { "cancel", "Cancelled.", NULL },
    { "leave", "On home leave. The bed is kept.", "return" },
    { "return", "Back from home leave.", NULL },
    { "clean", "Cleaning has begun.", NULL },
    { "cleaned", "Clean. The bed is free.", "dirty" },
    { "close", "Closed.", "open" },
    { "open", "Open. It is cleaned first.", NULL },
    { "dirty", "Sent to cleaning.", NULL },
    { "request", "On the list.", NULL },
    { "keep", "The bed is kept.", "cancel" },
    { "place", "In the bed.", "cancel" },
    { "cancel-request", "Taken off the list.", NULL },
    { "resolve", "Marked as dealt with.", NULL },
    { "round", "Ward round recorded.", NULL },
    { "undo", "Taken back.", NULL },
};
/* clang-format on */

static str value_of(struct http_request *request, const char *name)
{
    str given = http_query_value(request->cx->arena, request->body, str_of(name));
    return given.n ? given : http_query_value(request->cx->arena, request->query, str_of(name));
}

static struct ui_field *add_field(struct scene *scene, struct ui_field field)
{
    struct beds_dialog *dialog = scene->dialog;
    struct ui_field *at = &dialog->fields[dialog->form.fields_count++];
    *at = field;
    return at;
}

static void hide(struct scene *scene, const char *name, str value)
{
    add_field(scene, (struct ui_field){ .name = name, .kind = UI_HIDDEN, .value = value });
}

static str bed_text(struct scene *scene, const struct beds_spot *spot)
{
    const char *ward = spot->ward == BEDS_NONE ? "" : scene->picture->spots[spot->ward].name;
    return arena_printf(scene->cx->arena, "%s%s%s", ward, *ward ? ", " : "", spot->name);
}

/* ---- the fields of each form ---- */

static void close_fields(struct scene *scene)
{
    static const char *const texts[] = { "staffing", "infection", "maintenance", "equipment",
                                         "other" };
    struct ui_option *options = arena_array(scene->cx->arena, COUNT(texts), sizeof *options);
    for (size_t i = 0; i < COUNT(texts); i++)
        options[i] = (struct ui_option){ .value = str_of(texts[i]), .text = str_of(texts[i]) };
    add_field(scene, (struct ui_field){
        .name = "why", .label = "Why is it closed?", .kind = UI_RADIOS, .required = true,
        .options = options, .options_count = COUNT(texts),
        .value = value_of(scene->request, "why") });
    add_field(scene, (struct ui_field){
        .name = "until", .label = "Until", .type = "date", .hint = "Leave empty if not known.",
        .value = value_of(scene->request, "until") });
}

/* Patients by surname or NHS number, for a clerk to choose from. */
static err find_people(struct scene *scene)
{
    struct ctx *cx = scene->cx;
    struct beds_dialog *dialog = scene->dialog;
    struct buf query = buf_make(cx->arena, 4096);
    struct search_page page = { 0 };
    bool digits = dialog->find.n && dialog->find.p[0] >= '0' && dialog->find.p[0] <= '9';
    buf_add(&query, digits ? S("identifier=") : S("name="));
    for (size_t i = 0; i < dialog->find.n; i++)
        if (!digits || dialog->find.p[i] != ' ')
            http_encode(&query, str_slice(dialog->find, i, i + 1));
    struct search_request search = { .resource = fhir_resource_find(S("Patient")),
                                     .query = buf_str(&query), .count_default = FOUND_MAX,
                                     .count_max = FOUND_MAX };
    TRY(search_run(cx, scene->request->store, &search, &page));
    struct ui_option *options = arena_array(cx->arena, FOUND_MAX, sizeof *options);
    size_t count = 0;
    for (; count < page.entries_count && count < FOUND_MAX; count++) {
        struct json body;
        TRY(json_parse(cx, page.entries[count].version.body, &body));
        struct ui_patient who = ui_patient_of(cx, body);
        options[count] = (struct ui_option){
            .value = page.entries[count].version.id, .text = ui_patient_name(cx, &who),
            .hint = arena_printf(cx->arena, "born %.*s, NHS No. %.*s",
                STR_ARG(ui_patient_born(cx, &who)),
                STR_ARG(who.nhs_number.n ? ui_nhs_number(cx, who.nhs_number) : S("not known"))) };
    }
    dialog->find_only = count == 0;
    add_field(scene, (struct ui_field){
        .name = "patient", .label = "Which patient?", .kind = UI_RADIOS, .required = true,
        .options = options, .options_count = count,
        .value = count == 1 ? options[0].value : value_of(scene->request, "patient"),
        .hint = page.next_query.n ? "More answer to this: write more of the name." : NULL });
    if (!count)
        dialog->lead = S("Nobody answers to that. Check the spelling, or register the patient.");
    return ERR_OK;
}

static void minutes_field(struct scene *scene);

static void find_fields(struct scene *scene)
{
    struct beds_dialog *dialog = scene->dialog;
    str chosen = value_of(scene->request, "patient");
    dialog->finds = true;
    dialog->find = str_trim(value_of(scene->request, "find"));
    dialog->find_only = dialog->find.n == 0;
    hide(scene, "find", dialog->find);
    if (dialog->find.n && find_people(scene) != ERR_OK)
        dialog->find_only = true;
    if (!dialog->find.n && chosen.n)
        hide(scene, "patient", chosen);
    dialog->find_only &= !chosen.n;
}

static void override_field(struct scene *scene)
{
    add_field(scene, (struct ui_field){
        .name = "override", .label = "Reason, if a rule is set aside",
        .hint = "Only where the rule allows it; kept with the stay and your name.",
        .value = value_of(scene->request, "override") });
}

static void isolation_field(struct scene *scene)
{
    static const struct ui_option options[] = {
        { { "unknown", 7 }, { "Not assessed", 12 }, { 0 }, false },
        { { "none", 4 }, { "Not needed", 10 }, { 0 }, false },
        { { "needed", 6 }, { "Needed", 6 }, { 0 }, false } };
    str given = value_of(scene->request, "isolation");
    add_field(scene, (struct ui_field){ .name = "isolation", .label = "Isolation",
        .kind = UI_RADIOS, .options = options, .options_count = COUNT(options),
        .value = given.n ? given : options[0].value });
}

static void admit_fields(struct scene *scene)
{
    if (scene->stay && !scene->stay->reserved)
        scene->dialog->warning = S("Somebody lies in this bed now. Choose another on the board.");
    find_fields(scene);
    isolation_field(scene);
    override_field(scene);
}

static void reserve_fields(struct scene *scene)
{
    find_fields(scene);
    minutes_field(scene);
}

static void arrive_fields(struct scene *scene)
{
    hide(scene, "bed", str_of(scene->spot->id));
}

static struct beds_request request_of(struct scene *scene)
{
    const struct beds_stay *stay = scene->stay;
    return (struct beds_request){
        .sex = stay->sex == 'f' ? BEDS_FEMALE : stay->sex == 'm' ? BEDS_MALE : BEDS_SEX_ANY,
        .age_years = ui_age_years(str_of(stay->born), scene->cx->now_ms),
        .isolation = stay->isolation ? BEDS_ISOLATION_NEEDED : BEDS_ISOLATION_UNKNOWN,
        .specialty = str_of(stay->specialty), .reserved_stay = str_of(stay->id) };
}

/* A bed that was chosen before the form was drawn, and breaks a rule: the form says which, and who
 * may set it aside. True: somebody may, so it is offered all the same. */
static bool warn_of(struct scene *scene, const struct beds_spot *spot,
                    const struct beds_suggestion *judged)
{
    struct ctx *cx = scene->cx;
    const char *who = NULL;
    bool allowed = true;
    struct buf rules = buf_make(cx->arena, 1024);
    for (size_t i = 0; i < judged->reasons_count; i++) {
        const struct beds_refusal_kind *kind = &beds_refusals[judged->reasons[i]];
        if (!kind->hard)
            continue;
        buf_printf(&rules, "%s%s", rules.n ? "; " : "", kind->text);
        allowed &= kind->overridden_by != NULL;
        who = kind->overridden_by ? kind->overridden_by->title : who;
    }
    str name = bed_text(scene, spot), why = buf_str(&rules);
    scene->dialog->warning = allowed && who
        ? arena_printf(cx->arena, "%.*s breaks a rule: %.*s. Only the %s may set it aside, with a "
                       "reason below.", STR_ARG(name), STR_ARG(why), who)
        : arena_printf(cx->arena, "%.*s cannot be taken: %.*s. Choose another.", STR_ARG(name),
                       STR_ARG(why));
    return allowed && who;
}

/* The beds that suit, best first, and those that do not, each with why. */
static void offer(struct scene *scene, const struct beds_request *wanted)
{
    struct ctx *cx = scene->cx;
    struct beds_dialog *dialog = scene->dialog;
    struct ui_option *options = arena_array(cx->arena, BEDS_OPTIONS_MAX, sizeof *options);
    struct beds_refused *worse = arena_array(cx->arena, BEDS_OPTIONS_MAX, sizeof *worse);
    int32_t *beds;
    size_t count, good = 0;
    str chosen = value_of(scene->request, "bed");
    struct beds_suggestion *order = beds_judge_all(cx, scene->picture, wanted, &beds, &count);
    for (size_t i = 0; i < count; i++) {
        const struct beds_spot *spot = &scene->picture->spots[beds[order[i].bed]];
        str text = bed_text(scene, spot), why = beds_reasons(cx, &order[i]);
        if (!order[i].hard_count && good < OFFERED_MAX)
            options[good++] = (struct ui_option){ .value = str_of(spot->id), .text = text,
                                                  .hint = why };
        else if (order[i].hard_count && dialog->refused_count < BEDS_OPTIONS_MAX &&
                 spot != scene->spot)
            worse[dialog->refused_count++] = (struct beds_refused){ text, why, str_of(spot->id) };
    }
    for (size_t i = 0; i < count; i++) {
        const struct beds_spot *spot = &scene->picture->spots[beds[order[i].bed]];
        if (order[i].hard_count && chosen.n && str_eq(chosen, str_of(spot->id)) &&
            warn_of(scene, spot, &order[i]) && good < BEDS_OPTIONS_MAX)
            options[good++] = (struct ui_option){ .value = chosen, .text = bed_text(scene, spot),
                                                  .hint = beds_reasons(cx, &order[i]) };
    }
    dialog->refused = worse;
    dialog->refused_of = count - good - (scene->spot != NULL);
    if (good)
        add_field(scene, (struct ui_field){ .name = "bed", .label = "Which bed?",
            .kind = UI_RADIOS, .required = true, .options = options, .options_count = good,
            .value = chosen.n ? chosen : S("") });
    else
        add_field(scene, (struct ui_field){ .name = "bed", .label = "Which bed?",
            .hint = "No bed suits now. One of those below may be taken by its id, where its rule "
                    "may be set aside.", .value = chosen, .required = true });
}

static void transfer_fields(struct scene *scene)
{
    struct beds_request wanted = request_of(scene);
    offer(scene, &wanted);
    if (!scene->stay->isolation)
        isolation_field(scene);
    override_field(scene);
}

static void swap_fields(struct scene *scene)
{
    struct ctx *cx = scene->cx;
    const struct beds_picture *picture = scene->picture;
    struct ui_option *options = arena_array(cx->arena, picture->stays_count + 1, sizeof *options);
    size_t count = 0;
    for (size_t i = 0; i < picture->stays_count; i++) {
        const struct beds_stay *stay = &picture->stays[i];
        const struct beds_spot *spot = &picture->spots[stay->bed];
        if (stay != scene->stay && !stay->reserved && spot->ward == scene->spot->ward)
            options[count++] = (struct ui_option){
                .value = str_of(stay->id), .text = arena_printf(cx->arena, "%s: %s", spot->name,
                                                                stay->name) };
    }
    add_field(scene, (struct ui_field){ .name = "with", .label = "With whom?", .kind = UI_RADIOS,
        .required = true, .options = options, .options_count = count,
        .value = value_of(scene->request, "with") });
    override_field(scene);
}

/* ---- requests, cleans, exceptions ---- */

static struct ui_option *named_options(struct scene *scene, const struct beds_named *rows,
                                       size_t count)
{
    struct ui_option *options = arena_array(scene->cx->arena, count, sizeof *options);
    for (size_t i = 0; i < count; i++)
        options[i] = (struct ui_option){ .value = str_of(rows[i].code),
                                         .text = str_of(rows[i].text) };
    return options;
}

static void need_fields(struct scene *scene)
{
    static const struct { const char *name, *text; } needs[] = {
        { "oxygen", "Oxygen" }, { "monitor", "Monitoring" }, { "airborne", "Airborne infection" },
        { "bariatric", "Bariatric bed" } };
    struct ui_option *yes = arena_array(scene->cx->arena, COUNT(needs), sizeof *yes);
    isolation_field(scene);
    for (size_t i = 0; i < COUNT(needs); i++) {
        yes[i] = (struct ui_option){ .value = S("yes"), .text = str_of(needs[i].text),
            .chosen = str_eq(value_of(scene->request, needs[i].name), S("yes")) };
        add_field(scene, (struct ui_field){ .name = needs[i].name,
            .label = i ? "" : "Needs", .kind = UI_CHECKS, .options = &yes[i],
            .options_count = 1 });
    }
}

static void request_fields(struct scene *scene)
{
    str priority = value_of(scene->request, "priority");
    find_fields(scene);
    add_field(scene, (struct ui_field){ .name = "source", .label = "Coming from",
        .kind = UI_RADIOS, .required = true, .options_count = BEDS_SOURCES,
        .options = named_options(scene, beds_sources, BEDS_SOURCES),
        .value = value_of(scene->request, "source") });
    add_field(scene, (struct ui_field){ .name = "priority", .label = "How urgent",
        .kind = UI_SELECT, .options = named_options(scene, beds_priorities,
                                                    COUNT(beds_priorities)),
        .options_count = COUNT(beds_priorities),
        .value = priority.n ? priority : S("routine") });
    add_field(scene, (struct ui_field){ .name = "specialty", .label = "Specialty code",
        .hint = "Such as 300, General Internal Medicine.",
        .value = value_of(scene->request, "specialty") });
    add_field(scene, (struct ui_field){ .name = "decided", .label = "Decision to admit",
        .type = "datetime-local", .hint = "From the emergency department; now, if left empty.",
        .value = value_of(scene->request, "decided") });
    add_field(scene, (struct ui_field){ .name = "due", .label = "Coming in",
        .type = "datetime-local", .hint = "For an elective patient.",
        .value = value_of(scene->request, "due") });
    need_fields(scene);
    add_field(scene, (struct ui_field){ .name = "note", .label = "Anything else",
        .value = value_of(scene->request, "note") });
}

static void minutes_field(struct scene *scene)
{
    static const struct ui_option options[] = {
        { { "30", 2 }, { "30 minutes", 10 }, { 0 }, false },
        { { "60", 2 }, { "1 hour", 6 }, { 0 }, false },
        { { "120", 3 }, { "2 hours", 7 }, { 0 }, false },
        { { "240", 3 }, { "4 hours", 7 }, { 0 }, false } };
    str given = value_of(scene->request, "minutes");
    add_field(scene, (struct ui_field){ .name = "minutes", .label = "For how long?",
        .kind = UI_RADIOS, .options = options, .options_count = COUNT(options),
        .value = given.n ? given : options[1].value });
}

static void keep_fields(struct scene *scene)
{
    offer(scene, &scene->asked.wanted);
    minutes_field(scene);
    override_field(scene);
}

static void place_fields(struct scene *scene)
{
    offer(scene, &scene->asked.wanted);
    override_field(scene);
}

static void why_fields(struct scene *scene)
{
    add_field(scene, (struct ui_field){ .name = "why", .label = "Why", .required = true,
                                        .value = value_of(scene->request, "why") });
}

static void resolve_fields(struct scene *scene)
{
    add_field(scene, (struct ui_field){ .name = "note", .label = "What was done",
        .kind = UI_AREA, .required = true, .value = value_of(scene->request, "note") });
}

static void dirty_fields(struct scene *scene)
{
    struct ui_option *options = arena_array(scene->cx->arena, BEDS_CLEANS, sizeof *options);
    str given = value_of(scene->request, "clean");
    for (size_t i = 0; i < BEDS_CLEANS; i++)
        options[i] = (struct ui_option){
            .value = str_of(beds_cleans[i].code), .text = str_of(beds_cleans[i].name),
            .hint = arena_printf(scene->cx->arena, "%d minutes", beds_cleans[i].minutes) };
    add_field(scene, (struct ui_field){ .name = "clean", .label = "Which clean does it need?",
        .kind = UI_RADIOS, .options = options, .options_count = BEDS_CLEANS,
        .value = given.n ? given : options[0].value });
}

/* ---- drawing ---- */

static const struct form *find_form(str name)
{
    for (size_t i = 0; i < COUNT(forms); i++)
        if (str_eq(name, str_of(forms[i].name)))
            return &forms[i];
    return NULL;
}

static err find_stay_or_bed(struct scene *scene, const struct form *form)
{
    struct ctx *cx = scene->cx;
    const struct beds_picture *picture = scene->picture;
    str id = value_of(scene->request, form->flags & OF_STAY ? "encounter" : "bed");
    int32_t stay = form->flags & OF_STAY ? beds_find_stay(picture, id) : BEDS_NONE;
    int32_t spot = stay != BEDS_NONE ? picture->stays[stay].bed : beds_find_spot(picture, id);
    if (form->flags & OF_STAY && stay == BEDS_NONE)
        return ctx_failf(cx, ERR_NOT_FOUND, S("encounter"),
                         "no stay %.*s holds a bed now: it has ended, or was moved on. Open the "
                         "board again", STR_ARG(id));
    if (spot == BEDS_NONE || strcmp(picture->spots[spot].kind, "bd") != 0)
        return ctx_failf(cx, ERR_NOT_FOUND, S("bed"), "there is no bed %.*s", STR_ARG(id));
    scene->spot = &picture->spots[spot];
    scene->stay = scene->spot->stay == BEDS_NONE ? NULL : &picture->stays[scene->spot->stay];
    return ERR_OK;
}

/* What the form is about, and under which name its id is sent. */
static err find_subject(struct scene *scene, const struct form *form, const char **name, str *id)
{
    if (form->flags & OF_REQUEST) {
        *name = "request";
        *id = value_of(scene->request, "request");
        return beds_asked_read(scene->cx, *id, &scene->asked);
    }
    if (form->flags & (OF_TASK | OF_NONE)) {
        *name = form->flags & OF_TASK ? "task" : NULL;
        *id = form->flags & OF_TASK ? value_of(scene->request, "task") : S("");
        return ERR_OK;
    }
    TRY(find_stay_or_bed(scene, form));
    *name = form->flags & OF_STAY ? "encounter" : "bed";
    *id = str_of(form->flags & OF_STAY ? scene->stay->id : scene->spot->id);
    return ERR_OK;
}

static str patient_of(const struct scene *scene, const struct form *form)
{
    return form->flags & OF_STAY ? str_of(scene->stay->patient) : scene->asked.patient;
}

static void confirm_field(struct scene *scene)
{
    static const struct ui_option yes[] = {
        { { "yes", 3 }, { "Yes: name and date of birth, or name and NHS number", 51 }, { 0 },
          false } };
    add_field(scene, (struct ui_field){
        .name = "checked", .label = "Have you checked two identifiers with the patient or the "
        "wristband?", .kind = UI_CHECKS, .required = true, .options = yes, .options_count = 1 });
}

/* Only pages of this system; where it leads says what was done. */
static str back_of(struct scene *scene, const struct form *form)
{
    struct ctx *cx = scene->cx;
    str given = value_of(scene->request, "back");
    size_t mark = str_find_char(given, '?');
    const struct beds_spot *spot = scene->spot;
    if (mark != STR_NONE)
        given = str_slice(given, 0, mark);
    str page = str_starts(given, S("/beds")) ? given
               : form->flags & (OF_REQUEST | OF_NONE) ? S("/beds/requests")
               : form->flags & OF_TASK ? S("/beds/worklist")
               : spot->ward == BEDS_NONE ? S("/beds")
               : arena_printf(cx->arena, "/beds/ward/%s", scene->picture->spots[spot->ward].id);
    scene->dialog->form.cancel = page;
    return arena_printf(cx->arena, "%.*s?done=%s&bed=%s&encounter=%s", STR_ARG(page), form->name,
                        spot ? spot->id : "", form->flags & OF_STAY ? scene->stay->id : "");
}

static err fill(struct scene *scene, const struct form *form)
{
    struct ctx *cx = scene->cx;
    struct beds_dialog *dialog = scene->dialog;
    const char *name;
    str id;
    TRY(find_subject(scene, form, &name, &id));
    dialog->lead = str_of(form->lead);
    dialog->bed = scene->spot ? str_of(scene->spot->id) : S("");
    dialog->action = arena_printf(cx->arena, "/beds/do/%s", form->name);
    dialog->form = (struct ui_form){ .action = dialog->action, .submit = form->submit,
                                     .warns = form->flags & WARNS, .fields = dialog->fields,
                                     .issues = scene->request->method == HTTP_POST ? &cx->issues
                                                                                   : NULL };
    hide(scene, "back", back_of(scene, form));
    dialog->back = dialog->form.cancel;
    if (name)
        hide(scene, name, id);
    if (form->flags & (OF_STAY | OF_REQUEST) && patient_of(scene, form).n) {
        TRY(ui_banner_read(cx, scene->request->store, patient_of(scene, form), &dialog->banner));
        dialog->has_patient = true;
        hide(scene, "expect", patient_of(scene, form));
    }
    if (form->fields)
        form->fields(scene);
    if (form->flags & CONFIRM)
        confirm_field(scene);
    ui_fields_blame(&cx->issues, dialog->fields, dialog->form.fields_count);
    return ERR_OK;
}

static err draw(struct http_request *request, struct http_response *response,
                const struct form *form)
{
    static const char *const islands[] = { ASSET_DIALOG_JS };
    struct ctx *cx = request->cx;
    struct beds_dialog *dialog = arena_zero(cx->arena, sizeof *dialog);
    struct scene scene = { .request = request, .cx = cx, .dialog = dialog };
    TRY(beds_picture_open(cx, request->store, &scene.picture));
    TRY(fill(&scene, form));
    str title = !scene.spot ? str_of(form->title)
                : arena_printf(cx->arena, "%s: %.*s", form->title,
                               STR_ARG(bed_text(&scene, scene.spot)));
    struct ui_page page = beds_page_for(request, title, scene.picture->seq);
    page.islands = islands;
    page.islands_count = COUNT(islands);
    page.wide = false;
    page.back_href = dialog->form.cancel;
    page.back_text = S("Back");
    struct buf out = ui_page_buf(request);
    ui_page_open(&out, &page);
    beds_icons(&out);
    beds_dialog_body(&out, cx, dialog);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}

static err need_form(struct http_request *request, const struct form **out)
{
    *out = find_form(request->captures[0]);
    if (*out)
        return ERR_OK;
    return ctx_failf(request->cx, ERR_NOT_FOUND, S(""), "there is no form for %.*s",
                     STR_ARG(request->captures[0]));
}

err beds_dialog_get(struct http_request *request, struct http_response *response)
{
    const struct form *form;
    TRY(need_form(request, &form));
    return draw(request, response, form);
}

/* The same page again, with what was wrong; the status stays that of the fault. */
static err refused(struct http_request *request, struct http_response *response, err wrong)
{
    const struct form *form = find_form(request->captures[0]);
    response->status = err_http_status(wrong);
    err drawn = draw(request, response, form);
    if (drawn == ERR_OK)
        return ERR_OK;
    response->status = 0;
    return wrong;
}

/* Whoever lies there now must be who the form was about. */
static err check_same(struct http_request *request, const struct form *form)
{
    struct ctx *cx = request->cx;
    struct beds_picture *picture;
    str expected = value_of(request, "expect"), id = value_of(request, "encounter");
    if (!(form->flags & OF_STAY) || !expected.n)
        return ERR_OK;
    TRY(beds_picture_begin(cx, request->store, &picture));
    TRY(beds_picture_add_stay(cx, picture, id));
    int32_t at = beds_find_stay(picture, id);
    if (at == BEDS_NONE || str_eq(str_of(picture->stays[at].patient), expected))
        return ERR_OK;
    return ctx_fail(cx, ERR_CONFLICT, S("expect"),
                    S("another patient lies there than this form showed: look at the banner "
                      "again. Nothing was changed"));
}

static err check(struct http_request *request, const struct form *form)
{
    struct ctx *cx = request->cx;
    if (form->flags & CONFIRM && !str_eq(value_of(request, "checked"), S("yes")))
        return ctx_fail(cx, ERR_INVALID, S("checked"),
                        S("check two identifiers, then tick this box"));
    return check_same(request, form);
}

err beds_dialog_post(struct http_request *request, struct http_response *response)
{
    const struct form *form;
    TRY(need_form(request, &form));
    err wrong = check(request, form);
    if (wrong)
        return refused(request, response, wrong);
    return beds_move_for(request, response, str_of(form->move), refused);
}

/* ---- what was done ---- */

static str holder_of(struct http_request *request, str bed)
{
    struct beds_picture *picture;
    if (beds_picture_begin(request->cx, request->store, &picture) != ERR_OK ||
        beds_picture_add_bed(request->cx, picture, bed) != ERR_OK)
        return (str){ 0 };
    int32_t spot = beds_find_spot(picture, bed);
    int32_t stay = spot == BEDS_NONE ? BEDS_NONE : picture->spots[spot].stay;
    return stay == BEDS_NONE ? (str){ 0 } : str_of(picture->stays[stay].id);
}

static void add_input(struct ui_done *done, const char *name, str value)
{
    done->inputs[done->inputs_count++] =
        (struct ui_field){ .name = name, .kind = UI_HIDDEN, .value = value };
}

struct ui_done beds_done_of(struct http_request *request)
{
    struct ui_done done = { 0 };
    str what = beds_asked(request, "done"), bed = beds_asked(request, "bed");
    size_t at = 0;
    while (at < COUNT(dones) && !str_eq(what, str_of(dones[at].move)))
        at++;
    if (at == COUNT(dones) || !what.n)
        return done;
    done.text = str_of(dones[at].text);
    str encounter = beds_asked(request, "encounter");
    bool of_bed = dones[at].undo && (strcmp(dones[at].undo, "open") == 0 ||
                                     strcmp(dones[at].undo, "dirty") == 0);
    if (dones[at].undo && !encounter.n && !of_bed)
        encounter = holder_of(request, bed);
    if (!dones[at].undo || (of_bed ? !bed.n : !encounter.n))
        return done;
    done.undo = arena_printf(request->cx->arena, "/beds/move/%s", dones[at].undo);
    add_input(&done, of_bed ? "bed" : "encounter", of_bed ? bed : encounter);
    add_input(&done, "back", arena_printf(request->cx->arena, "%.*s?done=undo",
                                          STR_ARG(request->path)));
    return done;
}
