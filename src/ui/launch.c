/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/launch.h"
#include "auth/gate.h"
#include "http/text.h"
#include "store/search.h"
#include "ui/sign_in.h"

/* Begins an app on the patient who is on screen: the way from a record's page to the app. */
enum { URL_MAX_BYTES = 16 << 10, CONTEXT_MAX = 10 };

static str value_of(struct http_request *request, const char *name)
{
    return http_query_value(request->cx->arena, request->query, str_of(name));
}

/* The stay is the patient's, and may be seen by whoever launches. */
err launch_check_encounter(struct http_request *request, const struct session *session,
                           str patient, str encounter)
{
    struct store_version version;
    struct json body;
    TRY(gate_may_read(request, session, fhir_resource_find(S("Encounter")), encounter, &version));
    TRY(json_parse(request->cx, version.body, &body));
    str subject = json_string(request->cx->arena,
                              json_get(json_get(body, S("subject")), S("reference")));
    if (str_starts(subject, S("Patient/")) &&
        str_eq(str_slice(subject, 8, subject.n), patient))
        return ERR_OK;
    return ctx_fail(request->cx, ERR_INVALID, S("encounter"),
                    S("this encounter is not the patient's"));
}

/* "ImagingStudy/7": each may be seen, and none is a Patient or Encounter, which have names of their
 * own in the answer. */
static err check_context(struct http_request *request, const struct session *session, str context)
{
    struct ctx *cx = request->cx;
    str reference;
    for (size_t n = 0; str_next(&context, ' ', &reference); n++) {
        struct store_version version;
        size_t slash = str_find_char(reference, '/');
        str type = str_slice(reference, 0, slash);
        uint16_t resource = slash == STR_NONE ? FHIR_NONE : fhir_resource_find(type);
        if (resource == FHIR_NONE || n == CONTEXT_MAX || str_eq(type, S("Patient")) ||
            str_eq(type, S("Encounter")))
            return ctx_fail(cx, ERR_INVALID, S("context"),
                            S("context takes up to ten references such as ImagingStudy/7"));
        TRY(gate_may_read(request, session, resource,
                          str_slice(reference, slash + 1, reference.n), &version));
    }
    return ERR_OK;
}

static err read_launch(struct http_request *request, const struct session *session,
                       struct launch *out)
{
    *out = (struct launch){
        .client = value_of(request, "app"), .user = session->user.name,
        .patient = value_of(request, "patient"), .encounter = value_of(request, "encounter"),
        .context = value_of(request, "context"),
    };
    TRY(gate_may_open(request, session, out->patient));
    if (out->encounter.n)
        TRY(launch_check_encounter(request, session, out->patient, out->encounter));
    return check_context(request, session, out->context);
}

static err get_launch(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct session session;
    struct client client;
    struct launch launch;
    str handle;
    TRY(gate_session(request, &session));
    TRY(client_find(cx, gate_people(request->gate_self), value_of(request, "app"), &client));
    if (client.disabled || !client.launch.n)
        return ctx_fail(cx, ERR_INVALID, S("app"), S("this app cannot be begun from a record"));
    TRY(read_launch(request, &session, &launch));
    TRY(launch_make(request, &launch, &handle));
    struct buf url = buf_make(cx->arena, URL_MAX_BYTES);
    buf_add(&url, client.launch);
    buf_char(&url, str_find_char(client.launch, '?') == STR_NONE ? '?' : '&');
    buf_add(&url, S("iss="));
    http_encode(&url, request->base_url);
    http_encode(&url, S("/fhir"));
    buf_add(&url, S("&launch="));
    http_encode(&url, handle);
    return sign_in_go(response, buf_str(&url));
}

const struct route launch_routes[] = {
    { "GET", "/auth/launch", "open", get_launch, "Begin an app on the patient on screen", 0 },
    { 0 },
};
