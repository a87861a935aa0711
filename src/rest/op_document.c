/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/op.h"
#include "base/clock.h"
#include "base/random.h"
#include "store/commit.h"

/*
 * Composition $document: the document Bundle of a Composition: it first, then all it refers to.
 *
 * Source   hl7.org/fhir/R4/composition-operation-document.html, documents.html.
 * Limits   DOCUMENT_MAX resources.
 */
enum { DOCUMENT_MAX = 5000 };

struct document {
    const struct operation_ask *ask;
    struct json_writer w;
    struct op_seen seen;
    size_t count;
};

static err add_referred(void *self, struct json reference)
{
    struct document *document = self;
    struct ctx *cx = document->ask->call->cx;
    str text = json_string(cx->arena, reference);
    struct op_reference found;
    struct store_version version;
    struct json body;
    if (!op_read_reference(document->ask, text, &found) ||
        !op_seen_add(&document->seen, found.resource, found.id))
        return ERR_OK;
    if (++document->count > DOCUMENT_MAX)
        return ctx_failf(cx, ERR_LIMIT, (str){ 0 }, "a document may hold %d resources",
                         DOCUMENT_MAX);
    TRY(store_read(cx, document->ask->call->store, found.resource, found.id, &version));
    op_write_entry(document->ask, &document->w, &version, NULL);
    /* Sections may hold lists and groupings, whose members belong to the document too. */
    bool groups = found.resource == fhir_resource_find(S("List")) ||
                  found.resource == fhir_resource_find(S("DiagnosticReport")) ||
                  found.resource == fhir_resource_find(S("Composition"));
    if (!groups)
        return ERR_OK;
    TRY(json_parse(cx, version.body, &body));
    return op_each_reference(body, add_referred, document);
}

static void write_head(struct ctx *cx, struct json_writer *w)
{
    char at[CLOCK_TEXT], uuid[37];
    uint64_t bits[2] = { random_next(cx->random), random_next(cx->random) };
    snprintf(uuid, sizeof uuid, "%08x-%04x-4%03x-8%03x-%012llx", (unsigned)(bits[0] >> 32),
             (unsigned)(bits[0] >> 16 & 0xffff), (unsigned)(bits[0] & 0xfff),
             (unsigned)(bits[1] >> 52), (unsigned long long)(bits[1] & 0xffffffffffff));
    clock_write(cx->now_ms, at);
    json_put_str(w, "resourceType", S("Bundle"));
    json_key(w, "identifier");
    json_open(w, '{');
    json_put_str(w, "system", S("urn:ietf:rfc:3986"));
    json_put_str(w, "value", arena_printf(cx->arena, "urn:uuid:%s", uuid));
    json_close(w, '}');
    json_put_str(w, "type", S("document"));
    json_put_str(w, "timestamp", (str){ at, CLOCK_TEXT });
}

static err persist(const struct operation_ask *ask, struct operation_answer *out)
{
    struct commit_op op = { .verb = COMMIT_CREATE, .resource = fhir_resource_find(S("Bundle")) };
    TRY(json_parse(ask->call->cx, out->body, &op.body));
    TRY(op_change(ask, &op));
    out->body = op.version.body;
    return ERR_OK;
}

err op_document(const struct operation_ask *ask, struct operation_answer *out)
{
    struct ctx *cx = ask->call->cx;
    struct store_version composition;
    struct json body;
    struct buf buf = buf_make(cx->arena, REST_TEXT_MAX);
    struct document document = { ask, json_writer(&buf), op_seen_make(cx->arena), 0 };
    bool keep;
    TRY(operation_flag(ask, "persist", false, &keep));
    TRY(store_reader(cx, ask->call->store));
    TRY(store_read(cx, ask->call->store, ask->resource, ask->id, &composition));
    json_open(&document.w, '{');
    write_head(cx, &document.w);
    json_key(&document.w, "entry");
    json_open(&document.w, '[');
    op_seen_add(&document.seen, composition.resource, composition.id);
    op_write_entry(ask, &document.w, &composition, NULL);
    TRY(json_parse(cx, composition.body, &body));
    TRY(op_each_reference(body, add_referred, &document));
    op_close_bundle(&document.w);
    out->body = buf_str(&buf);
    return keep ? persist(ask, out) : ERR_OK;
}
