/* SPDX-License-Identifier: Apache-2.0 */
#include "json/json.h"

/* ~1 is a slash and ~0 a tilde (RFC 6901, section 4); { NULL, 0 } when a tilde stands alone. */
static str unescape(struct arena *arena, str token)
{
    if (str_find_char(token, '~') == STR_NONE)
        return token;
    char *out = arena_alloc(arena, token.n);
    size_t n = 0;
    for (size_t i = 0; i < token.n; i++) {
        out[n] = token.p[i];
        if (token.p[i] == '~') {
            i++;
            if (i == token.n || (token.p[i] != '0' && token.p[i] != '1'))
                return (str){ 0 };
            out[n] = token.p[i] == '0' ? '~' : '/';
        }
        n++;
    }
    return (str){ out, n };
}

static struct json step(struct json at, str token)
{
    uint64_t index;
    if (json_is(at, JSON_OBJECT))
        return json_get(at, token);
    if (!str_to_u64(token, &index) || (token.n > 1 && token.p[0] == '0'))
        return (struct json){ 0 };
    return json_at(at, index);
}

bool json_pointer_next(struct arena *arena, str *pointer, str *token)
{
    if (pointer->n == 0)
        return false;
    if (pointer->p[0] != '/') {
        *token = (str){ 0 };
        return true;
    }
    str rest = str_slice(*pointer, 1, pointer->n);
    size_t slash = str_find_char(rest, '/');
    str raw = str_slice(rest, 0, slash);
    *pointer = slash == STR_NONE ? S("") : str_slice(rest, slash, rest.n);
    *token = unescape(arena, raw);
    return true;
}

err json_pointer(struct ctx *cx, struct json root, str pointer, struct json *out)
{
    str rest = pointer, token;
    while (json_pointer_next(cx->arena, &rest, &token)) {
        if (!str_given(token))
            return ctx_failf(cx, ERR_INVALID, S(""),
                             "the JSON pointer \"%.*s\" must begin with a slash, with 0 or 1 after "
                             "each tilde", STR_ARG(pointer));
        root = step(root, token);
    }
    *out = root;
    return ERR_OK;
}
