/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/record/save.h"
#include "base/random.h"
#include "fhir/validate.h"
#include "http/text.h"
#include "record_save.html.h"
#include "store/commit.h"
#include "systems/record/codes.h"
#include "systems/record/home.h"
#include "systems/record/match.h"
#include "systems/record/note.h"
#include "systems/record/record_sql.h"

enum { VERSIONS_MAX = 50, ONCE_MAX = 64, WHY_MAX = 1000, ALLERGIES_MAX = 100, OPS_MAX = 8 };

static str sent(const struct save_form *form, const char *name)
{
    return http_query_value(form->look->cx->arena, form->look->request->body, str_of(name));
}

/* ---- opening ---- */

static err open_form(struct http_request *request, struct http_response *response,
                     struct record_look *look, struct save_form *form, bool *done)
{
    struct ctx *cx = request->cx;
    err opened = record_look_open(request, response, look);
    *done = opened == ERR_NOT_FOUND || opened == ERR_GONE;
    if (*done)
        return record_look_refuse(request, response);
    TRY(opened);
    *form = (struct save_form){ .look = look, .kind = entry_kind_find(request->captures[1]) };
    if (!form->kind)
        return ctx_failf(cx, ERR_NOT_FOUND, S(""), "there is no entry of kind %.*s",
                         STR_ARG(request->captures[1]));
    form->fields_count = form->kind->fields_count;
    form->fields = arena_array(cx->arena, ENTRY_FIELDS, sizeof *form->fields);
    for (size_t i = 0; i < form->fields_count; i++) {
        form->fields[i].field = &form->kind->fields[i];
        form->fields[i].name = form->kind->fields[i].name;
    }
    form->may_write = record_permits(cx, S("record.write")) &&
                      record_may(cx, form->kind->type, 'c');
    return ERR_OK;
}

/* It must be this patient's and of this kind: a link mixed up opens nothing. */
static err check_entry(struct save_form *form)
{
    struct ctx *cx = form->look->cx;
    static const char *const owners[] = { "subject", "patient", "for" };
    str owner = S("");
    for (size_t i = 0; i < COUNT(owners) && !owner.n; i++)
        owner = record_reference_id(cx, form->item.body, owners[i], "Patient");
    if (!str_eq(owner, form->look->patient) || entry_kind_of(form->item.body) != form->kind)
        return ctx_failf(cx, ERR_NOT_FOUND, S(""), "this patient has no such %s: find it again "
                         "from their record", form->kind->title);
    form->wrong = home_is_wrong(form->item.body);
    form->draft = form->kind->signs && note_is_draft(form->item.body);
    form->anothers = form->kind->signs && note_is_anothers(cx, form->item.body);
    form->begun_by = record_person(cx, form->look->store,
                                   json_at(json_get(form->item.body, S("author")), 0));
    return ERR_OK;
}

/* What somebody has not signed is theirs: nobody else stands for it, acts on it or ends it. */
static err check_mine(struct save_form *form)
{
    if (!form->anothers)
        return ERR_OK;
    return ctx_failf(form->look->cx, ERR_FORBIDDEN, S(""), "this is a draft of %.*s: only they "
                     "change and sign it; write your own", STR_ARG(form->begun_by));
}

static err read_entry(struct save_form *form)
{
    TRY(record_read(form->look->cx, form->look->store, form->kind->type,
                    form->look->request->captures[2], &form->item));
    return check_entry(form);
}

static void take_values(struct save_form *form, const struct entry_value *values)
{
    for (size_t i = 0; i < form->fields_count; i++)
        form->fields[i].value = values[i];
}

static void give_values(const struct save_form *form, struct entry_value *values)
{
    for (size_t i = 0; i < form->fields_count; i++)
        values[i] = form->fields[i].value;
}

static struct entry_value *read_values(const struct save_form *form, struct json body)
{
    struct entry_value *values = arena_array(form->look->cx->arena, ENTRY_FIELDS, sizeof *values);
    form->kind->read(form->look->cx, body, values);
    return values;
}

/* ---- what was sent ---- */

/* "system|code|text": the terminology's own words win over what came with it. */
static struct entry_value coded(struct save_form *form, str text, str chosen)
{
    struct ctx *cx = form->look->cx;
    str rest = chosen, system, code;
    if (!str_next(&rest, '|', &system) || !str_next(&rest, '|', &code) || !code.n)
        return (struct entry_value){ .text = text };
    str both = str_slice(chosen, 0, system.n + 1 + code.n);
    str known = codes_name(cx, form->look->store, both);
    return (struct entry_value){ known.n ? known : rest.n ? rest : text, both };
}

/* "2010", "2010-07": all that is known, and more than a browser's calendar can show. */
static bool is_part_of_date(str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (i == 4 ? text.p[i] != '-' : text.p[i] < '0' || text.p[i] > '9')
            return false;
    return text.n == 4 || (text.n == 7 && (text.p[5] == '0' || text.p[5] == '1'));
}

static err take_date(struct save_form *form, struct save_field *field)
{
    struct ctx *cx = form->look->cx;
    if (!field->value.text.n || is_part_of_date(field->value.text) ||
        match_date(cx, field->value.text, &field->value.text))
        return ERR_OK;
    return ctx_fail(cx, ERR_INVALID, str_of(field->name),
                    S("enter a date as day, month and year: 14 07 2026"));
}

static err take_sent(struct save_form *form)
{
    struct ctx *cx = form->look->cx;
    err wrong = ERR_OK;
    form->base = sent(form, "version");
    form->once = sent(form, "once");
    form->why = str_trim(str_slice(sent(form, "why"), 0, WHY_MAX));
    for (size_t i = 0; i < form->fields_count; i++) {
        struct save_field *field = &form->fields[i];
        str text = str_trim(sent(form, field->name));
        const char *code = arena_printf(cx->arena, "%s_code", field->name).p;
        const char *choice = arena_printf(cx->arena, "choice_%s", field->name).p;
        field->value = field->field->codes ? coded(form, text, sent(form, code))
                                           : (struct entry_value){ .text = text };
        field->choice = sent(form, choice);
        if (text.n > ENTRY_TEXT)
            wrong = ctx_failf(cx, ERR_LIMIT, str_of(field->name), "%s is longer than %d letters",
                              field->field->label, ENTRY_TEXT);
        err date = field->field->type ? take_date(form, field) : ERR_OK;
        wrong = date ? date : wrong;
    }
    return wrong;
}

/* ---- drawing ---- */

static void add_code(struct ctx *cx, struct save_field *field, str text, str code)
{
    field->codes[field->codes_count++] = (struct ui_option){
        .value = arena_printf(cx->arena, "%.*s|%.*s", STR_ARG(code), STR_ARG(text)),
        .text = text, .hint = code,
    };
}

/* A coded field offers what it has and, when asked, what the terminology finds. */
static err add_codes(struct save_form *form, struct save_field *field, str look)
{
    struct ctx *cx = form->look->cx;
    struct codes_found found = { 0 };
    field->codes = arena_array(cx->arena, CODES_HITS + 2, sizeof *field->codes);
    if (field->value.code.n)
        add_code(cx, field, field->value.text, field->value.code);
    if (str_eq(look, str_of(field->name)))
        TRY(codes_search(cx, form->look->store, str_of(field->field->codes), field->value.text,
                         &found));
    field->starter = found.starter;
    for (size_t i = 0; i < found.hits_count; i++)
        if (!str_eq(found.hits[i].code, field->value.code))
            add_code(cx, field, found.hits[i].text, found.hits[i].code);
    return ERR_OK;
}

static void show_field(struct ctx *cx, struct save_field *field)
{
    const struct entry_field *f = field->field;
    struct ui_option *options = arena_array(cx->arena, 32, sizeof *options);
    size_t count = 0;
    for (; f->options && f->options[count].value; count++)
        options[count] = (struct ui_option){ .value = str_of(f->options[count].value),
                                             .text = str_of(f->options[count].text) };
    bool known = f->kind != UI_SELECT || !field->value.text.n;
    for (size_t i = 0; i < count; i++)
        known = known || str_eq(options[i].value, field->value.text);
    if (!known) /* a value of another system: kept, and shown as it is */
        options[count++] = (struct ui_option){ .value = field->value.text,
                                               .text = field->value.text };
    field->shown = (struct ui_field){
        .name = f->name, .label = f->label, .hint = f->hint,
        .type = is_part_of_date(field->value.text) ? NULL : f->type,
        .kind = f->kind, .value = field->value.text, .required = f->required,
        .options = options, .options_count = count, .autocomplete = "off",
    };
}

static err show_fields(struct save_form *form, str look)
{
    struct ctx *cx = form->look->cx;
    for (size_t i = 0; i < form->fields_count; i++) {
        struct save_field *field = &form->fields[i];
        show_field(cx, field);
        ui_fields_blame(&cx->issues, &field->shown, 1);
        if (field->field->codes)
            TRY(add_codes(form, field, look));
    }
    return ERR_OK;
}

str save_shown(const struct save_field *field, str value)
{
    const struct entry_option *options = field->field->options;
    for (size_t i = 0; options && options[i].value; i++)
        if (str_eq(value, str_of(options[i].value)))
            return str_of(options[i].text);
    return value;
}

str save_who(struct ctx *cx, int64_t seq)
{
    struct db_stmt *stmt = db_use(cx, cx->db, record_sql, RECORD_WHO_WROTE);
    bool row = false;
    str who = S("");
    db_bind_int(stmt, 1, seq);
    if (db_step(cx, stmt, &row) == ERR_OK && row && db_int(stmt, 1) > seq)
        who = arena_copy(cx->arena, db_text(stmt, 0));
    db_reset(stmt);
    return who.n ? who : S("another system");
}

/* Every version, newest first: who, when, and which fields changed. */
static err read_versions(struct save_form *form)
{
    struct ctx *cx = form->look->cx;
    struct store_history query = { .resource = form->item.resource, .id = form->item.id,
                                   .count = VERSIONS_MAX };
    struct store_versions found;
    TRY(store_history(cx, form->look->store, &query, &found));
    struct save_version *list = arena_array(cx->arena, found.count + 1, sizeof *list);
    struct entry_value *newer = NULL;
    for (size_t i = found.count; i-- > 0;) {
        struct buf what = buf_make(cx->arena, 4096);
        struct json body;
        list[i] = (struct save_version){ ui_time(cx, found.list[i].at_ms),
                                         save_who(cx, found.list[i].seq), S("Written"),
                                         (uint64_t)found.list[i].vid };
        if (!found.list[i].body.n || json_parse(cx, found.list[i].body, &body) != ERR_OK)
            continue;
        struct entry_value *values = read_values(form, body);
        for (size_t f = 0; newer && f < form->fields_count; f++)
            if (!str_eq(values[f].text, newer[f].text))
                buf_printf(&what, "%s%s", what.n ? ", " : "", form->fields[f].field->label);
        if (home_is_wrong(body))
            buf_printf(&what, "%sMarked as entered in error", what.n ? "; " : "");
        if (newer)
            list[i].what = what.n ? buf_str(&what) : S("Signed, or its state changed");
        newer = values;
    }
    form->versions = list;
    form->versions_count = found.count;
    return ERR_OK;
}

static err draw(struct save_form *form, str look)
{
    struct record_look *page = form->look;
    struct ctx *cx = page->cx;
    TRY(show_fields(form, look));
    if (!form->once.n) {
        char *text = arena_alloc(cx->arena, 33);
        snprintf(text, 33, "%016llx%016llx", (unsigned long long)random_next(cx->random),
                 (unsigned long long)random_next(cx->random));
        form->once = (str){ text, 32 };
    }
    if (form->item.id.n) {
        TRY(read_versions(form));
        form->signed_by = note_signature(cx, page->store, form->item.body, "professional");
        form->cosigned_by = note_signature(cx, page->store, form->item.body, "legal");
        form->reason = note_reason(cx, form->item.body);
        if (form->kind == &entry_discharge && !form->draft && !form->wrong)
            TRY(send_look(page, &form->item, &form->sending));
    }
    record_look_head(page, NULL, str_of(form->kind->title));
    save_form_page(&page->out, form, &cx->issues);
    return record_look_send(page);
}

/* ---- GET ---- */

err save_new_get(struct http_request *request, struct http_response *response)
{
    struct record_look look;
    struct save_form form;
    struct entry_value *values = arena_array(request->cx->arena, ENTRY_FIELDS, sizeof *values);
    bool done;
    TRY(open_form(request, response, &look, &form, &done));
    if (done)
        return ERR_OK;
    form.edits = true;
    form.prefilled = form.kind == &entry_discharge || form.kind == &entry_handover;
    if (form.kind == &entry_discharge)
        TRY(note_prefill_discharge(&look, values));
    if (form.kind == &entry_handover)
        TRY(note_prefill_handover(&look, values));
    take_values(&form, values);
    return draw(&form, S(""));
}

err save_entry_get(struct http_request *request, struct http_response *response)
{
    struct record_look look;
    struct save_form form;
    bool done;
    TRY(open_form(request, response, &look, &form, &done));
    if (done)
        return ERR_OK;
    TRY(read_entry(&form));
    if (!form.anothers)
        take_values(&form, read_values(&form, form.item.body));
    form.base = arena_printf(request->cx->arena, "%lld", (long long)form.item.vid);
    form.edits = form.may_write && !form.wrong && !form.anothers &&
                 (!form.kind->signs || form.draft ||
                  http_query_value(request->cx->arena, request->query, S("edit")).n > 0);
    return draw(&form, S(""));
}

/* ---- POST ---- */

static err answer(struct save_form *form, const struct commit_op *op)
{
    struct record_look *look = form->look;
    struct ctx *cx = look->cx;
    str href = arena_printf(cx->arena, "/record/patient/%.*s/entry/%s/%.*s",
                            STR_ARG(look->patient), form->kind->name, STR_ARG(op->version.id));
    if (sent(form, "auto").n) {
        look->response->content_type = S("application/json");
        look->response->body = arena_printf(cx->arena, "{\"version\":\"%lld\",\"href\":\"%.*s\"}",
                                            (long long)op->version.vid, STR_ARG(href));
        return ERR_OK;
    }
    look->response->status = 303;
    http_put_header(look->response, S("Location"), form->kind->signs ? href
                    : arena_printf(cx->arena, "/record/patient/%.*s?done=%s",
                                   STR_ARG(look->patient), form->kind->name));
    return ERR_OK;
}

/* The form again, with what was typed and why it was not kept. */
static err again(struct save_form *form, err wrong)
{
    bool shows = wrong == ERR_RULE || wrong == ERR_INVALID || wrong == ERR_LIMIT ||
                 wrong == ERR_CONFLICT || wrong == ERR_FORBIDDEN;
    if (!shows || sent(form, "auto").n)
        return wrong;
    form->look->response->status = wrong == ERR_CONFLICT ? 409 : wrong == ERR_FORBIDDEN ? 403
                                                                                        : 422;
    form->edits = true;
    return draw(form, S(""));
}

static err check_patient(struct save_form *form)
{
    if (!form->look->banner.replaced_by.n)
        return ERR_OK;
    return ctx_fail(form->look->cx, ERR_CONFLICT, S(""),
                    S("this record was merged into another: open that one and write there"));
}

/* "No known allergies" and an allergy are never both so. An allergy ends that statement in the same
 * commit: when the allergy is withdrawn later, nobody has said that there are none. */
static err agree(struct save_form *form, struct commit_op *ops, size_t *count)
{
    struct ctx *cx = form->look->cx;
    struct record_set set;
    bool none = ui_is_no_known_allergy(ops->body);
    if (form->kind != &entry_allergy || !ui_allergy_stands(ops->body))
        return ERR_OK;
    TRY(record_find(cx, form->look->store, "AllergyIntolerance",
                    arena_printf(cx->arena, "patient=Patient/%.*s", STR_ARG(form->look->patient)),
                    ALLERGIES_MAX, &set));
    for (size_t i = 0; i < set.count && *count < OPS_MAX; i++) {
        const struct record_item *other = &set.items[i];
        if (str_eq(other->id, ops->id) || !ui_allergy_stands(other->body) ||
            ui_is_no_known_allergy(other->body) == none)
            continue;
        if (none)
            return ctx_failf(cx, ERR_RULE, S("none"), "%.*s is recorded: open it first, and mark "
                             "it refuted or entered in error if it is not so",
                             STR_ARG(record_concept(cx, other->body, "code")));
        struct entry_change over = { .cx = cx, .before = other->body };
        struct commit_op *op = &ops[(*count)++];
        entry_end_allergy(&over);
        *op = (struct commit_op){ .verb = COMMIT_UPDATE, .resource = other->resource,
                                  .id = other->id, .if_match_vid = other->vid };
        TRY(entry_made(&over, "", &op->body));
        TRY(validate_resource(cx, op->body));
    }
    return ERR_OK;
}

static err commit_change(struct save_form *form, struct commit_op *op)
{
    struct ctx *cx = form->look->cx;
    struct commit_op ops[OPS_MAX] = { *op };
    struct commit commit = { .ops = ops, .ops_count = 1, .cx = cx,
                             .who = entry_author(cx).display,
                             .why = arena_printf(cx->arena, "record: %s", form->kind->name) };
    TRY(validate_resource(cx, op->body));
    TRY(agree(form, ops, &commit.ops_count));
    err made = commit_run(cx, form->look->store, &commit);
    *op = ops[0];
    return made;
}

static struct entry_change change_of(struct save_form *form, struct entry_value *values)
{
    give_values(form, values);
    return (struct entry_change){ .cx = form->look->cx, .before = form->item.body,
                                  .values = values, .patient = form->look->patient,
                                  .encounter = form->look->banner.encounter,
                                  .author = entry_author(form->look->cx) };
}

/* An id chosen by the form, so that the same form sent twice makes one entry. */
static bool once_is_id(str once)
{
    for (size_t i = 0; i < once.n; i++)
        if (!((once.p[i] >= 'a' && once.p[i] <= 'z') || (once.p[i] >= '0' && once.p[i] <= '9') ||
              once.p[i] == '-'))
            return false;
    return once.n >= 16 && once.n <= ONCE_MAX;
}

/* ---- two people ---- */

static bool same(const struct entry_value *a, const struct entry_value *b)
{
    return str_eq(a->text, b->text) && str_eq(a->code, b->code);
}

/* Compares what the form was drawn from with what is there now; true: they changed something. */
static err compare(struct save_form *form, bool *changed)
{
    struct ctx *cx = form->look->cx;
    uint64_t vid;
    struct store_version version;
    struct json body;
    *changed = false;
    if (!str_to_u64(form->base, &vid))
        return ctx_fail(cx, ERR_INVALID, S(""), S("the form does not say which version it was "
                                                  "drawn from: open the entry again"));
    struct entry_value *theirs = read_values(form, form->item.body);
    if ((int64_t)vid == form->item.vid) {
        for (size_t i = 0; i < form->fields_count; i++)
            if (str_eq(form->fields[i].choice, S("theirs")))
                form->fields[i].value = theirs[i];
        return ERR_OK;
    }
    TRY(store_vread(cx, form->look->store, form->item.resource, form->item.id, (int64_t)vid,
                    &version));
    TRY(json_parse(cx, version.body, &body));
    struct entry_value *base = read_values(form, body);
    for (size_t i = 0; i < form->fields_count; i++) {
        struct save_field *field = &form->fields[i];
        field->base = base[i];
        field->theirs = theirs[i];
        field->changed = !same(&base[i], &theirs[i]) && !same(&theirs[i], &field->value);
        field->choice = same(&field->value, &base[i]) ? S("theirs") : S("");
        *changed = *changed || field->changed;
    }
    form->base = arena_printf(cx->arena, "%lld", (long long)form->item.vid);
    form->them = arena_printf(cx->arena, "%.*s, %.*s",
                              STR_ARG(save_who(cx, form->item.seq)),
                              STR_ARG(ui_time(cx, form->item.at_ms)));
    return ERR_OK;
}

/* What nobody changed in the form stays as another system wrote it: further codings, a time beside
 * the day, categories. It is unchanged when writing the old values would say the same. */
static void keep_unchanged(struct save_form *form, struct entry_change *change)
{
    struct ctx *cx = change->cx;
    struct entry_change before = *change;
    size_t count = cx->issues.count, kept = cx->issues.kept, left = 0;
    str now = record_json_text(cx, entry_now(cx));
    before.members_count = 0;
    before.values = read_values(form, form->item.body);
    bool can = form->kind->write(&before) == ERR_OK &&
               before.members_count == change->members_count;
    cx->issues.count = count;
    cx->issues.kept = kept;
    for (size_t i = 0; i < change->members_count; i++) {
        str is = change->members[i].json, was = can ? before.members[i].json : (str){ 0 };
        if (!can || str_eq(is, now) || str_given(is) != str_given(was) || !str_eq(is, was))
            change->members[left++] = change->members[i];
    }
    change->members_count = left;
}

static err update(struct save_form *form, struct commit_op *op)
{
    struct ctx *cx = form->look->cx;
    struct entry_value values[ENTRY_FIELDS] = { 0 };
    bool changed;
    *op = (struct commit_op){ .verb = COMMIT_UPDATE, .resource = form->item.resource,
                              .id = form->item.id, .if_match_vid = form->item.vid,
                              .skip_unchanged = true };
    TRY(check_patient(form));
    TRY(check_mine(form));
    if (form->wrong)
        return ctx_fail(cx, ERR_RULE, S(""), S("an entry marked as entered in error is not "
                                               "changed: write a new one"));
    TRY(compare(form, &changed));
    form->conflict = changed;
    if (changed)
        return ctx_failf(cx, ERR_CONFLICT, S(""), "changed meanwhile by %.*s: choose for each part "
                         "what is to stand", STR_ARG(form->them));
    struct entry_change change = change_of(form, values);
    TRY(form->kind->write(&change));
    keep_unchanged(form, &change);
    if (form->kind->signs)
        TRY(note_amend(&change, form->why));
    TRY(entry_made(&change, form->kind->type, &op->body));
    err made = commit_change(form, op);
    if (made == ERR_PRECONDITION) {
        cx->issues.count = cx->issues.kept = 0;
        return ctx_fail(cx, ERR_CONFLICT, S(""), S("somebody was saving at the same moment: save "
                                                   "again to compare"));
    }
    return made;
}

/* The form had made its entry already. The same again is an answer that was lost. A draft that says
 * more now goes on from there; another entry is not one that was made. */
static err sent_before(struct save_form *form, struct commit_op *op)
{
    struct ctx *cx = form->look->cx;
    struct store_version first;
    struct json body;
    struct entry_value *now = read_values(form, op->body);
    TRY(record_read(cx, form->look->store, form->kind->type, op->id, &form->item));
    bool differs = check_entry(form) != ERR_OK, goes_on = form->kind->signs && !differs;
    cx->issues.count = cx->issues.kept = 0;
    TRY(store_vread(cx, form->look->store, op->resource, op->id, 1, &first));
    TRY(json_parse(cx, first.body, &body));
    struct entry_value *then = read_values(form, body);
    for (size_t i = 0; i < form->fields_count; i++)
        differs = differs || !same(&now[i], &then[i]);
    if (!differs)
        return ERR_OK;
    if (!goes_on) {
        form->once = S("");
        form->item = (struct record_item){ 0 };
        return ctx_fail(cx, ERR_CONFLICT, S(""), S("this form was saved before, with other words: "
                        "save it again to make a second entry, or open the first to change it"));
    }
    form->base = S("1");
    return update(form, op);
}

static err create(struct save_form *form, struct commit_op *op)
{
    struct entry_value values[ENTRY_FIELDS] = { 0 };
    struct entry_change change = change_of(form, values);
    bool once = once_is_id(form->once);
    *op = (struct commit_op){ .verb = COMMIT_CREATE, .skip_unchanged = once,
                              .resource = fhir_resource_find(str_of(form->kind->type)) };
    TRY(check_patient(form));
    TRY(form->kind->write(&change));
    if (once) {
        op->id = form->once;
        entry_put_text(&change, "id", form->once);
    }
    TRY(entry_made(&change, form->kind->type, &op->body));
    TRY(commit_change(form, op));
    return op->outcome == COMMIT_MATCHED ? sent_before(form, op) : ERR_OK;
}

/* A form that came: a new entry, or a change of one. */
static err take_form(struct http_request *request, struct http_response *response,
                     err (*write)(struct save_form *form, struct commit_op *op))
{
    struct record_look look;
    struct save_form form;
    struct commit_op op;
    bool done;
    TRY(open_form(request, response, &look, &form, &done));
    if (done)
        return ERR_OK;
    if (write == update)
        TRY(read_entry(&form));
    err wrong = take_sent(&form);
    if (sent(&form, "look").n) {
        form.edits = true;
        return draw(&form, sent(&form, "look"));
    }
    if (wrong == ERR_OK)
        wrong = write(&form, &op);
    return wrong == ERR_OK ? answer(&form, &op) : again(&form, wrong);
}

err save_new_post(struct http_request *request, struct http_response *response)
{
    return take_form(request, response, create);
}

err save_entry_post(struct http_request *request, struct http_response *response)
{
    return take_form(request, response, update);
}

/* ---- signatures ---- */

err save_sign_post(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct record_look look;
    struct save_form form;
    uint64_t vid;
    bool done;
    TRY(open_form(request, response, &look, &form, &done));
    if (done)
        return ERR_OK;
    TRY(read_entry(&form));
    TRY(check_mine(&form));
    bool cosigns = str_ends(request->path, S("/cosign"));
    if (!form.kind->signs || form.wrong)
        return ctx_fail(cx, ERR_RULE, S(""), S("this entry is not one that is signed"));
    if (!str_to_u64(sent(&form, "version"), &vid) || (int64_t)vid != form.item.vid)
        return ctx_fail(cx, ERR_CONFLICT, S(""), S("the note has changed since you read it: go "
                                                   "back, read it again, then sign"));
    struct entry_change change = { .cx = cx, .before = form.item.body,
                                   .author = entry_author(cx) };
    struct commit_op op = { .verb = COMMIT_UPDATE, .resource = form.item.resource,
                            .id = form.item.id, .if_match_vid = form.item.vid };
    TRY(note_sign(&change, cosigns ? NOTE_COSIGN : NOTE_SIGN));
    TRY(entry_made(&change, form.kind->type, &op.body));
    TRY(commit_change(&form, &op));
    return answer(&form, &op);
}
