/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/record/file.h"
#include "base/base64.h"
#include "fhir/validate.h"
#include "systems/record/wrong.h"

enum { NAME_MAX_BYTES = 80 };

/* What a browser shows without running anything in it. */
static const struct kind { const char *type, *name, *end; bool shown; } kinds[] = {
    { "application/pdf", "PDF", "pdf", true },      { "image/png", "Picture", "png", true },
    { "image/jpeg", "Picture", "jpg", true },       { "image/gif", "Picture", "gif", true },
    { "image/webp", "Picture", "webp", true },      { "text/plain", "Text", "txt", true },
    { "application/fhir+json", "FHIR document", "json", false },
    { "application/dicom", "Scan (DICOM)", "dcm", false },
    { "text/html", "Web page", "html", false },     { "image/svg+xml", "Drawing", "svg", false },
    { "application/rtf", "RTF", "rtf", false },     { "text/rtf", "RTF", "rtf", false },
    { "application/msword", "Word", "doc", false },
    { "image/tiff", "Picture (TIFF)", "tif", false },
};

/* "text/plain; charset=utf-8" is text/plain. */
static const struct kind *kind_of(str type)
{
    size_t end = str_find_char(type, ';');
    str bare = str_trim(end == STR_NONE ? type : str_slice(type, 0, end));
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (str_eq_nocase(bare, str_of(kinds[i].type)))
            return &kinds[i];
    return NULL;
}

/* The n-th attachment; absent where there are fewer. */
static struct json attachment_at(struct json body, size_t n)
{
    struct json content = json_get(body, S("content"));
    if (json_is(content, JSON_OBJECT)) /* of a Media */
        return n ? (struct json){ 0 } : content;
    if (json_count(content))
        return json_get(json_at(content, n), S("attachment"));
    return json_at(json_get(body, S("presentedForm")), n);
}

static bool find_binary(struct record_look *look, str url, struct record_item *out)
{
    struct ctx *cx = look->cx;
    struct validate_reference reference;
    size_t count = cx->issues.count, kept = cx->issues.kept;
    bool is = validate_read_reference(url, &reference) && str_eq(reference.type, S("Binary")) &&
              record_read(cx, look->store, "Binary", reference.id, out) == ERR_OK;
    cx->issues.count = count;
    cx->issues.kept = kept;
    return is;
}

static str size_text(struct ctx *cx, size_t bytes)
{
    return bytes < 1024 ? arena_printf(cx->arena, "%zu bytes", bytes)
                        : arena_printf(cx->arena, "%zu KB", (bytes + 1023) / 1024);
}

str file_kind(struct ctx *cx, struct json body)
{
    str type = record_text(cx, attachment_at(body, 0), "contentType");
    const struct kind *kind = kind_of(type);
    return kind ? str_of(kind->name) : type;
}

void file_list(struct record_look *look, const struct record_item *item,
               struct record_file out[FILE_MAX], size_t *count)
{
    struct ctx *cx = look->cx;
    struct json attachment;
    for (*count = 0; *count < FILE_MAX; ++*count) {
        attachment = attachment_at(item->body, *count);
        if (!json_is(attachment, JSON_OBJECT))
            return;
        str type = record_text(cx, attachment, "contentType");
        str data = json_text(json_get(attachment, S("data")));
        str url = record_text(cx, attachment, "url"), title = record_text(cx, attachment, "title");
        const struct kind *kind = kind_of(type);
        str name = kind ? str_of(kind->name) : type.n ? type : S("File");
        struct record_item binary;
        struct record_file *file = &out[*count];
        bool here = data.n || find_binary(look, url, &binary);
        *file = (struct record_file){
            .text = arena_printf(cx->arena, "%s: %.*s", kind && kind->shown ? "Open" : "Save",
                                 STR_ARG(name)),
            .more = data.n ? arena_printf(cx->arena, "%.*s%s%.*s", STR_ARG(title),
                                          title.n ? ", " : "",
                                          STR_ARG(size_text(cx, data.n / 4 * 3))) : title,
        };
        if (here)
            file->href = arena_printf(cx->arena, "/record/patient/%.*s/file/%.*s/%.*s/%zu",
                                      STR_ARG(look->patient),
                                      STR_ARG(fhir_resource_name(item->resource)),
                                      STR_ARG(item->id), *count);
        else
            file->more = url.n ? S("It lies on another system: open it there.")
                               : S("The document was filed without its file.");
    }
}

/* A name for the saved file, of letters, digits and hyphens alone. */
static str name_of(struct ctx *cx, str title, const struct kind *kind)
{
    struct buf out = buf_make(cx->arena, NAME_MAX_BYTES + 16);
    for (size_t i = 0; i < title.n && out.n < NAME_MAX_BYTES; i++) {
        char c = title.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (plain || (out.n && out.p[out.n - 1] != '-'))
            buf_char(&out, plain ? c : '-');
    }
    if (!out.n)
        buf_add(&out, S("document"));
    buf_printf(&out, ".%s", kind ? kind->end : "bin");
    return buf_str(&out);
}

err file_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct record_look look;
    struct record_item item, binary;
    uint64_t n;
    TRY(record_look_open(request, response, &look));
    TRY(wrong_read_item(&look, &item));
    bool number = str_to_u64(request->captures[3], &n) && n < FILE_MAX;
    struct json attachment = number ? attachment_at(item.body, n) : (struct json){ 0 };
    str type = record_text(cx, attachment, "contentType"), bytes;
    str data = record_text(cx, attachment, "data");
    if (!data.n && find_binary(&look, record_text(cx, attachment, "url"), &binary)) {
        data = record_text(cx, binary.body, "data");
        type = record_text(cx, binary.body, "contentType");
    }
    if (!data.n || !base64_decode(cx->arena, data, &bytes))
        return ctx_fail(cx, ERR_NOT_FOUND, S(""), S("the document has no such file here: go back "
                                                    "to it and choose another"));
    const struct kind *kind = kind_of(type);
    bool shown = kind && kind->shown;
    str title = record_text(cx, attachment, "title");
    response->content_type = !shown ? S("application/octet-stream")
                             : str_eq(str_of(kind->type), S("text/plain"))
                                 ? S("text/plain; charset=utf-8") : str_of(kind->type);
    http_put_header(response, S("Content-Disposition"),
                    arena_printf(cx->arena, "%s; filename=\"%.*s\"", shown ? "inline"
                                                                           : "attachment",
                                 STR_ARG(name_of(cx, title, kind))));
    response->body = bytes;
    return ERR_OK;
}
