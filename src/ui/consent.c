/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/consent.h"
#include "auth/gate.h"
#include "auth/launch.h"
#include "http/text.h"
#include "ui/sign_in.h"
#include "ui_consent.html.h"

enum { URL_MAX_BYTES = 16 * 1024 };

/* ---- in words ---- */

static const struct {
    unsigned action;
    const char *word;
} action_words[] = {
    { SCOPE_READ, "look at" }, { SCOPE_SEARCH, "search" }, { SCOPE_CREATE, "add" },
    { SCOPE_UPDATE, "change" }, { SCOPE_DELETE, "remove" },
};

/* "category=http://...|vital-signs,laboratory" as ", only where category is vital-signs or
 * laboratory". The system says nothing to a person. */
static void narrow_words(struct arena *arena, str query, struct buf *buf)
{
    struct http_param param;
    for (const char *and = ", only where"; http_next_param(&query, &param); and = " and") {
        str values, value;
        if (!http_decode(arena, param.value, true, &values))
            values = param.value;
        buf_printf(buf, "%s %.*s is", and, STR_ARG(param.name));
        for (const char *or = ""; str_next(&values, ',', &value); or = " or") {
            size_t bar = str_find_char(value, '|');
            value = bar == STR_NONE ? value : str_slice(value, bar + 1, value.n);
            buf_printf(buf, "%s %.*s", or, STR_ARG(value));
        }
    }
}

static str rule_words(struct arena *arena, const struct scope_rule *rule)
{
    struct buf buf = buf_make(arena, URL_MAX_BYTES);
    for (size_t i = 0; i < COUNT(action_words); i++)
        if (rule->actions & action_words[i].action)
            buf_printf(&buf, "%s%s", buf.n ? ", " : "", action_words[i].word);
    str type = rule->resource == FHIR_NONE ? S("everything in the record")
                                           : fhir_resource_name(rule->resource);
    buf_printf(&buf, ": %.*s", STR_ARG(type));
    if (rule->query.n)
        narrow_words(arena, rule->query, &buf);
    char *text = buf.p;
    text[0] = (char)(text[0] - 'a' + 'A');
    return buf_str(&buf);
}

size_t sign_in_words(struct arena *arena, const struct scope_set *set, struct sign_in_scope *out)
{
    size_t count = 0;
    for (size_t i = 0; i < set->rules_count && count < SIGN_IN_SCOPES_MAX; i++)
        out[count++].what = rule_words(arena, &set->rules[i]);
    if (set->fhir_user || set->profile)
        out[count++].what = S("Know who you are");
    return count;
}

/* ---- the page ---- */

static err find_launch(struct http_request *request, const struct oauth_ask *ask,
                       const struct session *session, struct launch *out)
{
    struct launch expected = { .client = ask->client.id, .user = session->user.name };
    *out = (struct launch){ 0 };
    return ask->launch.n ? launch_read(request, ask->launch, &expected, out) : ERR_OK;
}

/* "https://app.example:8443" of a URL; not given when it holds what a policy could misread. */
static str origin_of(str url)
{
    static const char fine[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "-.:[]";
    size_t start = str_find(url, S("://"));
    size_t end = start == STR_NONE ? url.n : start + 3;
    for (; end < url.n && url.p[end] != '/' && url.p[end] != '?'; end++)
        if (!strchr(fine, url.p[end]))
            return (str){ 0 };
    return start == STR_NONE ? (str){ 0 } : str_slice(url, 0, end);
}

/* The answer goes to our own page, which sends the browser on to the app: browsers hold the
 * policy's form-action against that address, too. */
static void allow_form_to(struct arena *arena, struct http_response *response, str redirect)
{
    static const char ours[] = "form-action 'self'";
    str origin = origin_of(redirect);
    for (size_t i = 0; i < response->headers_count && origin.n; i++) {
        str value = response->headers[i].value;
        size_t at = str_find(value, S(ours));
        if (at == STR_NONE)
            continue;
        at += sizeof ours - 1;
        response->headers[i].value = arena_printf(arena, "%.*s %.*s%.*s",
                                                  STR_ARG(str_slice(value, 0, at)),
                                                  STR_ARG(origin),
                                                  STR_ARG(str_slice(value, at, value.n)));
    }
}

static str text_or_empty(str text)
{
    return str_given(text) ? text : S("");
}

/* The page once more with what was chosen on it: "/auth/authorize?ask=...&find=...&patient=". */
static str page_with(struct arena *arena, const struct consent_page *page, str find)
{
    struct buf url = buf_make(arena, URL_MAX_BYTES * 4);
    buf_add(&url, S("/auth/authorize?ask="));
    http_encode(&url, page->query);
    if (find.n) {
        buf_add(&url, S("&find="));
        http_encode(&url, find);
    }
    return buf_str(&url);
}

/* Whom and what the app is for, as far as it is known, and else what can be chosen from. */
static err fill_choice(struct http_request *request, const struct session *session,
                       const struct consent_choice *choice, struct consent_page *page)
{
    struct ctx *cx = request->cx;
    page->find = text_or_empty(choice->find);
    page->here = page_with(cx->arena, page, page->find);
    page->again = page_with(cx->arena, page, S(""));
    if (page->asks_patient || page->asks_encounter || page->launched)
        TRY(gate_look_as(request, session));
    if (choice->patient.n)
        TRY(consent_patient(request, choice->patient, page));
    if (page->asks_patient && !page->chosen)
        TRY(consent_find(request, page));
    if (page->asks_encounter && page->chosen)
        TRY(consent_stays(request, page));
    return ERR_OK;
}

static err show_consent(struct http_request *request, struct http_response *response,
                        const struct oauth_ask *ask, const struct session *session,
                        struct consent_choice choice)
{
    struct ctx *cx = request->cx;
    struct launch launch;
    TRY(find_launch(request, ask, session, &launch));
    struct sign_in_scope *scopes = arena_array(cx->arena, SIGN_IN_SCOPES_MAX + 1, sizeof *scopes);
    bool own = str_starts(session->user.who, S("Patient/"));
    struct consent_page page = {
        .page = ui_page_for(request, S("Allow this app?")),
        .cx = cx,
        .app = ask->client.name.n ? ask->client.name : ask->client.id,
        .query = choice.query,
        .csrf = session->csrf,
        .scopes = scopes,
        .scopes_count = sign_in_words(cx->arena, &ask->scopes, scopes),
        .asks_patient = (ask->scopes.launch_patient || ask->scopes.launch_encounter) && !own &&
                        !launch.patient.n,
        .asks_encounter = ask->scopes.launch_encounter && !launch.encounter.n,
        .launched = launch.patient.n > 0,
        .keeps_access = ask->scopes.offline,
        .fault = text_or_empty(choice.fault),
    };
    if (launch.patient.n)
        choice.patient = launch.patient;
    else if (own && page.asks_encounter)
        choice.patient = str_slice(session->user.who, 8, session->user.who.n);
    page.page.nav_count = 0; /* one question, and nothing beside it */
    page.page.as_of = (str){ 0 };
    page.page.user = session->user.display;
    TRY(fill_choice(request, session, &choice, &page));
    struct buf out = ui_page_buf(request);
    consent_draw(&out, &page);
    TRY(ui_page_send(request, response, &out));
    allow_form_to(cx->arena, response, ask->redirect);
    return ERR_OK;
}

static err to_sign_in(struct http_request *request, struct http_response *response)
{
    struct buf next = buf_make(request->cx->arena, URL_MAX_BYTES);
    struct buf url = buf_make(request->cx->arena, URL_MAX_BYTES * 3);
    buf_add(&next, request->path);
    buf_char(&next, '?');
    buf_add(&next, request->query);
    buf_add(&url, S("/sign-in?next="));
    http_encode(&url, buf_str(&next));
    request->cx->issues.kept = request->cx->issues.count = 0;
    if (next.full || url.full)
        return ctx_fail(request->cx, ERR_LIMIT, (str){ 0 },
                        S("the app asks with too long an address; its maker must shorten it"));
    return sign_in_go(response, buf_str(&url));
}

/* A launch that is old, used, or another's: the app is told, since it is known to be the one. */
static err tell_app(struct http_request *request, struct http_response *response,
                    const struct oauth_ask *ask, err wrong)
{
    struct ctx *cx = request->cx;
    if (wrong != ERR_INVALID || !cx->issues.kept ||
        !str_eq(cx->issues.list[cx->issues.kept - 1].path, S("launch")))
        return wrong;
    str why = cx->issues.list[cx->issues.kept - 1].text;
    cx->issues.kept = cx->issues.count = 0;
    return sign_in_go(response, oauth_deny(request, ask, "invalid_request", why));
}

static str asked(struct http_request *request, const char *name)
{
    return text_or_empty(http_query_value(request->cx->arena, request->query, str_of(name)));
}

static err get_authorize(struct http_request *request, struct http_response *response)
{
    struct oauth_ask ask;
    struct session session;
    struct consent_choice choice = { .query = asked(request, "ask") };
    if (choice.query.n) /* one of our own links, not the app's */
        TRY(oauth_check_single(request->cx, request->query));
    else
        choice.query = request->query;
    TRY(oauth_read_ask(request, choice.query, &ask));
    if (ask.error)
        return sign_in_go(response, oauth_deny(request, &ask, ask.error, ask.why));
    bool known = gate_session(request, &session) == ERR_OK;
    if (ask.silent) /* consent is asked each time, so there is always something to ask */
        return sign_in_go(response, oauth_deny(request, &ask, known ? "consent_required"
                                                                    : "login_required", S("")));
    if (!known)
        return to_sign_in(request, response);
    choice.find = str_trim(asked(request, "find"));
    choice.patient = str_trim(asked(request, "patient"));
    return tell_app(request, response, &ask,
                    show_consent(request, response, &ask, &session, choice));
}

/* ---- the answer ---- */

/* The patient the app is for: the person's own, or the one chosen. */
static str patient_of(struct http_request *request, const struct session *session)
{
    str who = session->user.who;
    if (str_starts(who, S("Patient/")))
        return str_slice(who, 8, who.n);
    return str_trim(sign_in_field(request, "patient"));
}

/* The patient and stay the tokens are for: those on screen at the launch, else those chosen. Gives
 * what is wrong with them, in words; empty: nothing. */
static str set_context(struct http_request *request, const struct oauth_ask *ask,
                       const struct session *session, const struct launch *launch,
                       struct grant *grant)
{
    struct ctx *cx = request->cx;
    str fault = S("");
    bool wants_patient = ask->scopes.launch_patient || launch->id.n > 0;
    grant->context = launch->context;
    grant->encounter = launch->encounter;
    grant->patient = launch->patient.n ? launch->patient
                   : wants_patient || ask->scopes.launch_encounter ? patient_of(request, session)
                                                                   : (str){ 0 };
    size_t kept = cx->issues.kept, count = cx->issues.count;
    if (ask->scopes.launch_encounter && !grant->encounter.n) {
        grant->encounter = str_trim(sign_in_field(request, "encounter"));
        if (launch_check_encounter(request, session, grant->patient, grant->encounter) != ERR_OK)
            fault = S("Choose a stay: that is no stay of the patient that you may see");
    }
    if (grant->patient.n || wants_patient)
        if (gate_may_open(request, session, grant->patient) != ERR_OK)
            fault = S("Choose a patient: that is no patient you may open");
    cx->issues.kept = kept;
    cx->issues.count = count;
    return fault;
}

static err allow(struct http_request *request, struct http_response *response,
                 const struct oauth_ask *ask, const struct session *session)
{
    struct grant grant = {
        .client = ask->client.id,
        .user = session->user.name,
        .scopes = ask->scope_text,
        .nonce = ask->nonce,
        .redirect = ask->redirect,
        .challenge = ask->challenge,
    };
    struct launch launch;
    TRY(find_launch(request, ask, session, &launch));
    str location, fault = set_context(request, ask, session, &launch, &grant);
    if (fault.n)
        return show_consent(request, response, ask, session, (struct consent_choice){
            .query = sign_in_field(request, "ask"), .patient = patient_of(request, session),
            .find = sign_in_field(request, "find"), .fault = fault });
    if (launch.id.n)
        TRY(launch_use(request, &launch));
    TRY(oauth_allow(request, ask, &grant, &location));
    return sign_in_go(response, location);
}

/* SMART's authorize-post: the app's parameters in a form. The browser sends no cookie along with
 * another site's form; going on by GET, it does. */
static err ask_by_post(struct http_request *request, struct http_response *response)
{
    str url = arena_printf(request->cx->arena, "/auth/authorize?%.*s", STR_ARG(request->body));
    bool fits = request->body.n < URL_MAX_BYTES;
    for (size_t i = 0; i < request->body.n && fits; i++)
        fits = request->body.p[i] > ' ' && request->body.p[i] < 0x7f;
    if (!fits)
        return ctx_fail(request->cx, ERR_INVALID, (str){ 0 },
                        S("the app's form is not one; its maker must mend it"));
    return sign_in_go(response, url);
}

static err post_authorize(struct http_request *request, struct http_response *response)
{
    struct oauth_ask ask;
    struct session session;
    if (!str_given(sign_in_field(request, "ask")) && sign_in_field(request, "client_id").n)
        return ask_by_post(request, response);
    TRY(oauth_check_single(request->cx, request->body));
    TRY(oauth_read_ask(request, sign_in_field(request, "ask"), &ask));
    if (ask.error)
        return sign_in_go(response, oauth_deny(request, &ask, ask.error, ask.why));
    TRY(gate_session(request, &session));
    TRY(sign_in_form_of(request, &session));
    if (!str_eq(sign_in_field(request, "answer"), S("allow")))
        return sign_in_go(response, oauth_deny(request, &ask, "access_denied",
                                               S("the person said no")));
    return tell_app(request, response, &ask, allow(request, response, &ask, &session));
}

const struct route consent_routes[] = {
    { "GET", "/auth/authorize", "open", get_authorize, "Ask a person what an app may do", 0 },
    { "POST", "/auth/authorize", "open", post_authorize, "Their answer", 0 },
    { 0 },
};
