/* SPDX-License-Identifier: Apache-2.0 */
#include "json/write.h"
#include "store/state.h"

#define AS_VERSION_SPECIFIC                                                                        \
    "http://hl7.org/fhir/StructureDefinition/resolve-as-version-specific"

struct body_writer {
    struct ctx *cx;
    struct buf buf;
    const struct body_names *names;
    str id;
    size_t hole;
    bool id_done, meta_done;
};

static void put_string(struct body_writer *w, str text)
{
    buf_char(&w->buf, '"');
    json_escape(&w->buf, text);
    buf_char(&w->buf, '"');
}

static err put_value(struct body_writer *w, struct json value);

/* The elements in which a bundle's own names may stand: Reference.reference, and those of type uri,
 * url and uuid. Canonicals, identifiers and narrative are left alone. */
static bool is_link(str key)
{
    static const char *const keys[] = { "reference", "url", "uri", "valueUri", "valueUrl",
                                        "valueUuid", "valueOid" };
    for (size_t i = 0; i < COUNT(keys); i++)
        if (str_eq(key, str_of(keys[i])))
            return true;
    return false;
}

static bool asks_version(struct json extension)
{
    return json_string_is(json_get(extension, S("url")), S(AS_VERSION_SPECIFIC));
}

static bool reference_asks_version(struct json reference)
{
    for (struct json_walk w = json_walk(json_get(reference, S("extension"))); json_next(&w);)
        if (asks_version(w.value))
            return true;
    return false;
}

static err put_link(struct body_writer *w, struct json object, bool is_reference,
                    struct json value)
{
    str text = json_string(w->cx->arena, value), to = { 0 };
    bool versioned = is_reference && reference_asks_version(object);
    if (is_reference || str_starts(text, S("urn:")))
        TRY(w->names->replace(w->cx, w->names->self, text, versioned, &to));
    if (str_given(to))
        put_string(w, to);
    else
        buf_add(&w->buf, json_text(value));
    return ERR_OK;
}

/* The extension that asked for a version-specific reference has done its work. */
static err put_extensions(struct body_writer *w, struct json list)
{
    bool comma = false;
    buf_char(&w->buf, '[');
    for (struct json_walk walk = json_walk(list); json_next(&walk);) {
        if (asks_version(walk.value))
            continue;
        if (comma)
            buf_char(&w->buf, ',');
        comma = true;
        TRY(put_value(w, walk.value));
    }
    buf_char(&w->buf, ']');
    return ERR_OK;
}

static bool only_asks_version(struct json list)
{
    return json_count(list) == 1 && asks_version(json_at(list, 0));
}

static err put_member(struct body_writer *w, struct json object, struct json key,
                      struct json value)
{
    buf_add(&w->buf, json_text(key));
    buf_char(&w->buf, ':');
    if (!w->names)
        return put_value(w, value);
    str name = json_string(w->cx->arena, key);
    if (json_is(value, JSON_STRING) && is_link(name))
        return put_link(w, object, str_eq(name, S("reference")), value);
    if (str_eq(name, S("extension")) && str_given(json_text(json_get(object, S("reference")))))
        return put_extensions(w, value);
    return put_value(w, value);
}

static err put_object(struct body_writer *w, struct json object)
{
    bool comma = false;
    buf_char(&w->buf, '{');
    for (struct json_walk walk = json_walk(object); json_next(&walk);) {
        if (w->names && json_is(walk.value, JSON_ARRAY) && only_asks_version(walk.value) &&
            json_string_is(walk.key, S("extension")))
            continue;
        if (comma)
            buf_char(&w->buf, ',');
        comma = true;
        TRY(put_member(w, object, walk.key, walk.value));
    }
    buf_char(&w->buf, '}');
    return ERR_OK;
}

static err put_value(struct body_writer *w, struct json value)
{
    if (json_is(value, JSON_OBJECT))
        return put_object(w, value);
    if (!json_is(value, JSON_ARRAY)) {
        buf_add(&w->buf, json_text(value));
        return ERR_OK;
    }
    bool comma = false;
    buf_char(&w->buf, '[');
    for (struct json_walk walk = json_walk(value); json_next(&walk);) {
        if (comma)
            buf_char(&w->buf, ',');
        comma = true;
        TRY(put_value(w, walk.value));
    }
    buf_char(&w->buf, ']');
    return ERR_OK;
}

/* meta without versionId and lastUpdated, and the place where they will be put. */
static err put_meta(struct body_writer *w, struct json meta)
{
    bool comma = false;
    buf_add(&w->buf, S("\"meta\":{"));
    w->hole = w->buf.n;
    w->meta_done = true;
    for (struct json_walk walk = json_walk(meta); json_next(&walk);) {
        str name = json_string(w->cx->arena, walk.key);
        if (str_eq(name, S("versionId")) || str_eq(name, S("lastUpdated")) ||
            str_eq(name, S("_versionId")) || str_eq(name, S("_lastUpdated")))
            continue;
        if (comma)
            buf_char(&w->buf, ',');
        comma = true;
        TRY(put_member(w, meta, walk.key, walk.value));
    }
    buf_char(&w->buf, '}');
    return ERR_OK;
}

static void put_id(struct body_writer *w)
{
    buf_add(&w->buf, S("\"id\":"));
    put_string(w, w->id);
    w->id_done = true;
}

/* What the sender left out: id after resourceType, meta after id. */
static err put_left_out(struct body_writer *w, struct json body, str name)
{
    if (str_eq(name, S("resourceType")) && !json_get(body, S("id")).doc) {
        buf_char(&w->buf, ',');
        put_id(w);
        name = S("id");
    }
    if (str_eq(name, S("id")) && !json_is(json_get(body, S("meta")), JSON_OBJECT)) {
        buf_char(&w->buf, ',');
        return put_meta(w, (struct json){ 0 });
    }
    return ERR_OK;
}

static err put_top(struct body_writer *w, struct json body)
{
    bool comma = false;
    buf_char(&w->buf, '{');
    for (struct json_walk walk = json_walk(body); json_next(&walk);) {
        str name = json_string(w->cx->arena, walk.key);
        bool is_meta = str_eq(name, S("meta"));
        if (is_meta && !json_is(walk.value, JSON_OBJECT))
            continue; /* null: put where it is missing */
        if (comma)
            buf_char(&w->buf, ',');
        comma = true;
        if (is_meta)
            TRY(put_meta(w, walk.value));
        else if (str_eq(name, S("id")))
            put_id(w);
        else
            TRY(put_member(w, body, walk.key, walk.value));
        TRY(put_left_out(w, body, name));
    }
    buf_char(&w->buf, '}');
    return ERR_OK;
}

err body_write(struct ctx *cx, struct json body, str id, const struct body_names *names,
               struct store_body *out)
{
    size_t room = json_text(body).n + json_text(body).n / 4 + 512;
    struct body_writer w = { .cx = cx, .names = names, .id = id,
                             .buf = buf_make(cx->arena, STORE_BODY_MAX) };
    if (room < STORE_BODY_MAX)
        (void)buf_room(&w.buf, room);
    TRY(put_top(&w, body));
    if (w.buf.full)
        return ctx_failf(cx, ERR_LIMIT, (str){ 0 }, "a resource may have at most %zu MB",
                         STORE_BODY_MAX >> 20);
    if (!w.id_done || !w.meta_done)
        return ctx_fail(cx, ERR_INVALID, S("resourceType"), S("the body has no resourceType"));
    *out = (struct store_body){ buf_str(&w.buf), w.hole };
    return ERR_OK;
}
