/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/my.h"
#include "auth/gate.h"
#include "auth/upstream.h"
#include "store/search.h"
#include "ui/browse.h"
#include "ui/sign_in.h"
#include "ui_my.html.h"

static const struct {
    const char *heading, *none, *type, *query, *when;
} parts[] = {
    { "Appointments", "No appointments", "Appointment", "patient=", "start" },
    { "Medicines", "No medicines", "MedicationRequest", "status=active&patient=", "authoredOn" },
    { "Allergies", "No allergies are recorded", "AllergyIntolerance", "patient=", "recordedDate" },
    { "Health conditions", "No conditions are recorded", "Condition", "patient=", "onsetDateTime" },
    { "Test results", "No results yet", "DiagnosticReport", "patient=", "effectiveDateTime" },
};

static str medicine_text(struct ctx *cx, struct json resource)
{
    struct json concept = json_get(resource, S("medicationCodeableConcept"));
    return json_is(concept, JSON_OBJECT) ? ui_concept_text(cx, concept)
                                         : ui_resource_text(cx, resource);
}

/* Reads by the request's own filter: what may not be seen is not there. */
static err read_part(struct http_request *request, str patient, size_t at, struct my_part *out)
{
    struct ctx *cx = request->cx;
    int64_t *rids = arena_array(cx->arena, MY_SEEN_MAX, sizeof *rids);
    struct search_rids hits = { .rids = rids, .max = MY_SEEN_MAX };
    struct my_item *items = arena_array(cx->arena, MY_ITEMS_MAX, sizeof *items);
    str query = arena_printf(cx->arena, "%sPatient/%.*s", parts[at].query, STR_ARG(patient));
    *out = (struct my_part){ .heading = parts[at].heading, .none = parts[at].none, .items = items };
    TRY(search_condition(cx, request->store, fhir_resource_find(str_of(parts[at].type)), query,
                         &hits));
    size_t found = hits.count < MY_SEEN_MAX ? hits.count : MY_SEEN_MAX;
    for (size_t i = found; i > 0 && out->items_count < MY_ITEMS_MAX; i--) { /* newest first */
        struct store_version version;
        struct json body;
        TRY(store_read_rid(cx, request->store, rids[i - 1], &version));
        TRY(json_parse(cx, arena_copy(cx->arena, version.body), &body));
        str when = json_string(cx->arena, json_get(body, str_of(parts[at].when)));
        items[out->items_count++] = (struct my_item){ medicine_text(cx, body),
                                                      when.n ? ui_date(cx, when) : S("") };
    }
    return ERR_OK;
}

static err read_record(struct http_request *request, str patient, struct my_page *my)
{
    struct ctx *cx = request->cx;
    struct store_version version;
    struct json body;
    TRY(store_read(cx, request->store, fhir_resource_find(S("Patient")), patient, &version));
    TRY(json_parse(cx, arena_copy(cx->arena, version.body), &body));
    my->patient = ui_patient_of(cx, body);
    my->reads = true;
    struct my_part *drawn = arena_array(cx->arena, COUNT(parts), sizeof *drawn);
    for (size_t i = 0; i < COUNT(parts); i++) {
        uint16_t type = fhir_resource_find(str_of(parts[i].type));
        if (access_type(cx->access, type))
            TRY(read_part(request, patient, i, &drawn[my->parts_count++]));
    }
    my->parts = drawn;
    return ERR_OK;
}

static err get_my(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    const struct user *user = cx->user;
    struct proxy *proxies = arena_array(cx->arena, PROXIES_MAX, sizeof *proxies);
    bool acting = user->behalf.n > 0;
    str who = acting ? user->behalf : user->person.who, nhs_number;
    struct my_page my = {
        .page = ui_page_for(request, acting ? S("Their record") : S("Your record")),
        .cx = cx, .csrf = user->csrf, .name = user->person.display, .proxies = proxies,
    };
    TRY(upstream_nhs_number(cx, gate_people(request->gate_self), user->person.name, &nhs_number));
    TRY(proxy_list(cx, request->store, nhs_number, proxies, &my.proxies_count));
    if (str_starts(who, S("Patient/")))
        TRY(read_record(request, str_slice(who, 8, who.n), &my));
    if (acting)
        my.acting_for = ui_patient_name(cx, &my.patient);
    struct buf out = ui_page_buf(request);
    my_draw(&out, &my);
    return ui_page_send(request, response, &out);
}

static err post_act_for(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct people *people = gate_people(request->gate_self);
    struct session session;
    struct proxy proxy;
    str related = sign_in_field(request, "related"), nhs_number;
    TRY(gate_same_origin(request));
    TRY(gate_session(request, &session));
    TRY(sign_in_form_of(request, &session));
    if (related.n) {
        TRY(upstream_nhs_number(cx, people, session.user.name, &nhs_number));
        TRY(proxy_find(cx, request->store, nhs_number, related, &proxy));
    }
    TRY(session_act(cx, people, gate_cookie(request), related));
    return sign_in_go(response, S("/my"));
}

const struct route my_routes[] = {
    { "GET", "/my", "app.home", get_my, "A patient's own record, or one they act for",
      ROUTE_PERSON },
    { "POST", "/my/act-for", "open", post_act_for, "Choose for whom a patient's session acts", 0 },
    { 0 },
};
