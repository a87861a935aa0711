/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/privacy.h"
#include "auth/audit_log.h"
#include "fhir/datetime.h"
#include "http/text.h"
#include "ui_privacy.html.h"

enum { QUERY_BYTES = 8192, MINE_LOOK = 5000, MINE_ROWS = 200 };

static str asked(const struct http_request *request, const char *name)
{
    return str_trim(http_query_value(request->cx->arena, request->query, str_of(name)));
}

static const char *title_of(str role)
{
    const struct role *found = role_find(role);
    return found ? found->title : "Not signed in";
}

static const char *outcome_text(enum audit_outcome outcome)
{
    static const char *const texts[] = { [AUDIT_DONE] = "Given", [AUDIT_FAILED] = "Failed",
                                         [AUDIT_REFUSED] = "Refused" };
    return texts[outcome];
}

/* One row for each patient of an entry: each is a look at one record. */
static void add_rows(struct ctx *cx, struct privacy_flagger *flagger,
                     const struct audit_entry *entry, struct privacy_access *rows, size_t *count)
{
    size_t patients = entry->pids_count ? entry->pids_count : 1;
    for (size_t i = 0; i < patients && *count < PRIVACY_LOOK; i++) {
        int64_t pid = entry->pids_count ? entry->pids[i] : 0;
        struct privacy_access *row = &rows[(*count)++];
        *row = (struct privacy_access){
            .when = ui_time(cx, entry->at_ms), .who = entry->who,
            .who_name = privacy_who(flagger, entry->who), .role = title_of(entry->role),
            .what = entry->what, .address = entry->address, .client = entry->client,
            .act = audit_act_text(entry->act), .outcome = outcome_text(entry->outcome),
        };
        if (pid)
            privacy_patient(flagger, pid, &row->patient, &row->patient_id);
        privacy_flag(flagger, entry, pid, row);
    }
}

err privacy_rows(struct ctx *cx, struct privacy_flagger *flagger, const struct audit_page *page,
                 struct privacy_list *list)
{
    struct privacy_access *rows = arena_array(cx->arena, PRIVACY_LOOK, sizeof *rows);
    for (size_t i = 0; i < page->count; i++)
        add_rows(cx, flagger, &page->list[i].entry, rows, &list->rows_count);
    list->rows = rows;
    return ctx_late(cx);
}

/* ---- the privacy officer's list ---- */

/* Who looked at a record whose label is not for the officer is asked like any other. */
static err find_patient(struct http_request *request, str id, int64_t *pid)
{
    struct store_version version;
    struct ctx *cx = request->cx;
    const struct store_access *access = cx->access;
    size_t kept = cx->issues.kept, count = cx->issues.count;
    if (!id.n)
        return ERR_OK;
    cx->access = NULL;
    err found = store_read(cx, request->store, fhir_resource_find(S("Patient")), id, &version);
    cx->access = access;
    cx->issues.kept = kept;
    cx->issues.count = count;
    *pid = found == ERR_OK ? version.rid : -1;
    return ERR_OK;
}

static void take_day(str text, bool end, int64_t *out)
{
    struct datetime when;
    if (text.n && datetime_parse(text, DATETIME_AS_DATE, &when))
        *out = end ? when.high_ms : when.low_ms;
}

static err read_filter(struct http_request *request, struct audit_query *query)
{
    uint64_t before = 0;
    *query = (struct audit_query){ .act = -1, .outcome = -1, .count = PRIVACY_PAGE,
                                   .who = asked(request, "who"), .role = asked(request, "role") };
    query->who = query->who.n ? query->who : (str){ 0 };
    query->role = query->role.n ? query->role : (str){ 0 };
    take_day(asked(request, "from"), false, &query->from_ms);
    take_day(asked(request, "until"), true, &query->until_ms);
    if (str_to_u64(asked(request, "before"), &before))
        query->before_n = (int64_t)before;
    if (str_eq(asked(request, "only"), S("refused")))
        query->outcome = AUDIT_REFUSED;
    return find_patient(request, asked(request, "patient"), &query->pid);
}

static void keep_unusual(struct privacy_list *list)
{
    struct privacy_access *rows = (struct privacy_access *)list->rows;
    size_t kept = 0;
    for (size_t i = 0; i < list->rows_count; i++)
        if (rows[i].flags_count)
            rows[kept++] = rows[i];
    list->rows_count = kept;
}

static void make_fields(struct http_request *request, struct privacy_list *list)
{
    static const struct ui_option only[] = {
        { { "", 0 }, { "everything", 10 }, { 0 }, false },
        { { "unusual", 7 }, { "what is unusual", 15 }, { 0 }, false },
        { { "refused", 7 }, { "what was refused", 16 }, { 0 }, false },
    };
    struct ui_field *fields = arena_array(request->cx->arena, 6, sizeof *fields);
    fields[0] = (struct ui_field){ .name = "patient", .label = "Patient", .hint = "Their id" };
    fields[1] = (struct ui_field){ .name = "who", .label = "Who",
                                   .hint = "A user name, such as a.khan" };
    fields[2] = (struct ui_field){ .name = "role", .label = "Role", .hint = "Such as nurse" };
    fields[3] = (struct ui_field){ .name = "from", .label = "From", .type = "date" };
    fields[4] = (struct ui_field){ .name = "until", .label = "Until", .type = "date" };
    fields[5] = (struct ui_field){ .name = "only", .label = "Show", .kind = UI_SELECT,
                                   .options = only, .options_count = COUNT(only) };
    for (size_t i = 0; i < 6; i++)
        fields[i].value = asked(request, fields[i].name);
    list->fields = fields;
    list->fields_count = 6;
}

static str next_of(struct http_request *request, int64_t before)
{
    struct buf buf = buf_make(request->cx->arena, QUERY_BYTES);
    static const char *const names[] = { "patient", "who", "role", "from", "until", "only" };
    for (size_t i = 0; i < COUNT(names); i++) {
        buf_printf(&buf, "%s=", names[i]);
        http_encode(&buf, asked(request, names[i]));
        buf_char(&buf, '&');
    }
    buf_printf(&buf, "before=%lld", (long long)before);
    return buf_str(&buf);
}

err privacy_access_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct privacy_list list = { .page = ui_page_for(request, S("Who has looked")) };
    struct audit_query query;
    struct audit_page page = { 0 };
    bool unusual = str_eq(asked(request, "only"), S("unusual"));
    list.page.section = "/privacy";
    make_fields(request, &list);
    TRY(audit_flush(cx, gate_audit(request->gate_self)));
    TRY(store_reader(cx, request->store));
    TRY(read_filter(request, &query));
    if (unusual)
        query.count = PRIVACY_LOOK / 2;
    if (query.pid >= 0)
        TRY(audit_find(cx, &query, &page));
    struct privacy_flagger *flagger = privacy_flagger_make(cx, request->store,
                                                           gate_people(request->gate_self));
    TRY(privacy_rows(cx, flagger, &page, &list));
    if (unusual)
        keep_unusual(&list);
    list.next = page.more ? next_of(request, page.next_n) : (str){ 0 };
    struct buf out = ui_page_buf(request);
    privacy_list_draw(&out, &list);
    return ui_page_send(request, response, &out);
}

/* ---- the patient's own view ---- */

/* What the patient may not see leaves no trace here: neither that it was written nor read. */
static bool may_tell(struct http_request *request, const struct audit_entry *entry)
{
    struct ctx *cx = request->cx;
    struct store_version version;
    str rest = entry->what, type, id;
    if (!str_next(&rest, '/', &type) || fhir_resource_find(type) == FHIR_NONE ||
        !str_next(&rest, '/', &id) || str_find_char(id, '?') != STR_NONE ||
        str_find_char(id, '$') != STR_NONE || (id.n && id.p[0] == '_'))
        return entry->act != AUDIT_CREATE && entry->act != AUDIT_UPDATE &&
               entry->act != AUDIT_DELETE;
    size_t kept = cx->issues.kept, count = cx->issues.count;
    err found = store_read(cx, request->store, fhir_resource_find(type), id, &version);
    cx->issues.kept = kept;
    cx->issues.count = count;
    return found == ERR_OK || found == ERR_GONE;
}

static struct privacy_look *find_look(struct privacy_look *looks, size_t count,
                                      const struct privacy_look *like)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(looks[i].when, like->when) && str_eq(looks[i].who, like->who) &&
            looks[i].act == like->act)
            return &looks[i];
    return NULL;
}

static str day_of(struct ctx *cx, int64_t at_ms)
{
    str time = ui_time(cx, at_ms); /* "22 Nov 2026, 10:42" */
    size_t comma = str_find_char(time, ',');
    return comma == STR_NONE ? time : str_slice(time, 0, comma);
}

static err add_looks(struct http_request *request, struct privacy_flagger *flagger,
                     const struct audit_page *page, struct privacy_mine *mine)
{
    struct ctx *cx = request->cx;
    const struct user *user = cx->user;
    struct privacy_look *looks = arena_array(cx->arena, MINE_ROWS, sizeof *looks);
    for (size_t i = 0; i < page->count && mine->looks_count < MINE_ROWS; i++) {
        const struct audit_entry *entry = &page->list[i].entry;
        bool own = !mine->banner && str_eq(entry->who, user->person.name);
        /* One proxy does not learn of another, nor when the patient looks. */
        bool kept = !mine->banner && str_eq(str_of(user->asker.role->name), S("proxy")) &&
                    (entry->behalf.n || str_eq(entry->role, S("patient")));
        if (own || kept || entry->outcome != AUDIT_DONE || !may_tell(request, entry))
            continue;
        struct privacy_look look = {
            .when = day_of(cx, entry->at_ms), .who = privacy_who(flagger, entry->who),
            .role = title_of(entry->role), .act = audit_act_text(entry->act), .times = 1,
            .reason = entry->act == AUDIT_BREAK_GLASS ? entry->reason : S(""),
        };
        struct privacy_look *known = find_look(looks, mine->looks_count, &look);
        if (known)
            known->times++;
        else
            looks[mine->looks_count++] = look;
    }
    mine->looks = looks;
    return ERR_OK;
}

static err send_mine(struct http_request *request, struct http_response *response, int64_t pid,
                     const struct ui_banner *banner)
{
    struct ctx *cx = request->cx;
    struct privacy_mine mine = { .page = ui_page_for(request, S("Who has looked")),
                                 .banner = banner };
    struct audit_query query = { .pid = pid, .act = -1, .outcome = -1, .count = MINE_LOOK };
    struct audit_page page;
    TRY(store_reader(cx, request->store));
    TRY(audit_find(cx, &query, &page));
    struct privacy_flagger *flagger = privacy_flagger_make(cx, request->store,
                                                           gate_people(request->gate_self));
    TRY(add_looks(request, flagger, &page, &mine));
    if (banner) {
        mine.page.section = "/record";
        mine.page.back_href = arena_printf(cx->arena, "/record/patient/%.*s",
                                           STR_ARG(banner->who.id));
        mine.page.back_text = S("The record");
    }
    struct buf out = ui_page_buf(request);
    privacy_mine_draw(&out, cx, &mine);
    return ui_page_send(request, response, &out);
}

err privacy_mine_get(struct http_request *request, struct http_response *response)
{
    const struct user *user = request->cx->user;
    if (!user->patients.pids_count)
        return ctx_fail(request->cx, ERR_NOT_FOUND, (str){ 0 },
                        S("your sign-in is not joined to a record yet"));
    TRY(audit_flush(request->cx, gate_audit(request->gate_self)));
    return send_mine(request, response, user->patients.pids[0], NULL);
}

/* "Who has seen this record", for those who may open it. */
err privacy_seen_get(struct http_request *request, struct http_response *response)
{
    struct store_version version;
    struct ui_banner banner;
    /* before the first read: what it sees is as old as its snapshot */
    TRY(audit_flush(request->cx, gate_audit(request->gate_self)));
    TRY(store_read(request->cx, request->store, fhir_resource_find(S("Patient")),
                   request->captures[0], &version));
    TRY(ui_banner_read(request->cx, request->store, request->captures[0], &banner));
    return send_mine(request, response, version.rid, &banner);
}

/* ---- why may they? ---- */

static bool wants_json(const struct http_request *request)
{
    str accept = http_header(request, "Accept");
    return str_find(accept, S("text/html")) == STR_NONE &&
           str_find(accept, S("application/json")) != STR_NONE;
}

static err ask_why(struct http_request *request, struct privacy_why *why)
{
    struct gate *gate = request->gate_self;
    struct explain_ask ask = {
        .people = gate_people(gate), .store = request->store, .standings = gate_standings(gate),
        .user = asked(request, "user"), .resource = asked(request, "resource"),
        .interaction = asked(request, "interaction"),
    };
    if (!ask.interaction.n)
        ask.interaction = S("read");
    why->asked = ask.user.n && ask.resource.n;
    return why->asked ? explain(request->cx, &ask, &why->answer) : ERR_OK;
}

err privacy_why_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct privacy_why why = { .page = ui_page_for(request, S("Why may they?")) };
    struct ui_field fields[] = {
        { .name = "user", .label = "Who", .hint = "A user name, such as a.khan" },
        { .name = "resource", .label = "What", .hint = "Such as Patient/123" },
        { .name = "interaction", .label = "To do what", .hint = "read, search, update ..." },
    };
    why.page.section = "/privacy";
    err failed = ask_why(request, &why);
    if (wants_json(request)) {
        TRY(failed);
        response->content_type = S("application/json");
        response->body = explain_json(cx, &why.answer);
        return ERR_OK;
    }
    why.asked = why.asked && failed == ERR_OK;
    if (failed)
        why.fault = cx->issues.list[cx->issues.kept - 1].text;
    for (size_t i = 0; i < COUNT(fields); i++)
        fields[i].value = asked(request, fields[i].name);
    why.fields = fields;
    why.fields_count = COUNT(fields);
    struct buf out = ui_page_buf(request);
    privacy_why_draw(&out, &why);
    response->status = failed ? err_http_status(failed) : 200;
    return ui_page_send(request, response, &out);
}
