/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/terminology.h"

/* Versions of code systems, chosen by whoever asks for an expansion. */
enum { PINS_MAX = 32 };
enum pin_kind { PIN_DEFAULT, PIN_CHECK, PIN_FORCE, PIN_KINDS };
static const char *const pin_names[PIN_KINDS] = {
    [PIN_DEFAULT] = "system-version", [PIN_CHECK] = "check-system-version",
    [PIN_FORCE] = "force-system-version",
};

struct pin {
    enum pin_kind kind;
    str system, version;
};
struct pins {
    const struct operation_ask *ask;
    struct pin list[PINS_MAX];
    size_t count;
};

static err read_pins(struct pins *pins)
{
    struct ctx *cx = pins->ask->call->cx;
    for (size_t kind = 0; kind < PIN_KINDS; kind++) {
        struct operation_walk walk = operation_walk(pins->ask);
        for (str text; operation_next_text(&walk, pin_names[kind], &text);) {
            size_t bar = str_find_char(text, '|');
            if (bar == STR_NONE || pins->count == PINS_MAX)
                return ctx_failf(cx, ERR_INVALID, str_of(pin_names[kind]),
                                 "%s takes SYSTEM|VERSION, at most %d of them", pin_names[kind],
                                 (int)PINS_MAX);
            pins->list[pins->count++] = (struct pin){ (enum pin_kind)kind, str_slice(text, 0, bar),
                                                      str_slice(text, bar + 1, text.n) };
        }
    }
    return ERR_OK;
}

/* The version an include is to have; not given: as it is. */
static err choose(struct pins *pins, str system, str version, str *out)
{
    struct ctx *cx = pins->ask->call->cx;
    *out = version;
    for (size_t i = 0; i < pins->count; i++) {
        const struct pin *pin = &pins->list[i];
        if (!str_eq(pin->system, system))
            continue;
        if (pin->kind == PIN_CHECK && version.n && !str_eq(version, pin->version))
            return ctx_failf(cx, ERR_RULE, S("ValueSet.compose.include.version"),
                             "the value set takes version %.*s of %.*s, not %.*s",
                             STR_ARG(version), STR_ARG(system), STR_ARG(pin->version));
        if (pin->kind == PIN_FORCE || !out->n)
            *out = pin->version;
    }
    return ERR_OK;
}

static err write_include(struct pins *pins, struct json_writer *w, struct json include)
{
    struct arena *arena = pins->ask->call->cx->arena;
    str version;
    TRY(choose(pins, json_string(arena, json_get(include, S("system"))),
               json_string(arena, json_get(include, S("version"))), &version));
    json_open(w, '{');
    for (struct json_walk m = json_walk(include); json_next(&m);)
        if (!json_string_is(m.key, S("version"))) {
            json_key_str(w, json_string(arena, m.key));
            json_raw(w, json_text(m.value));
        }
    if (version.n)
        json_put_str(w, "version", version);
    json_close(w, '}');
    return ERR_OK;
}

static err write_compose(struct pins *pins, struct json_writer *w, struct json compose)
{
    json_open(w, '{');
    for (struct json_walk m = json_walk(compose); json_next(&m);) {
        bool parts = json_string_is(m.key, S("include")) || json_string_is(m.key, S("exclude"));
        json_key_str(w, json_string(pins->ask->call->cx->arena, m.key));
        if (!parts) {
            json_raw(w, json_text(m.value));
            continue;
        }
        json_open(w, '[');
        for (struct json_walk i = json_walk(m.value); json_next(&i);)
            TRY(write_include(pins, w, i.value));
        json_close(w, ']');
    }
    json_close(w, '}');
    return ERR_OK;
}

err expand_pin(const struct operation_ask *ask, str *value_set)
{
    struct pins pins = { .ask = ask };
    struct json json;
    TRY(read_pins(&pins));
    if (!pins.count)
        return ERR_OK;
    TRY(json_parse(ask->call->cx, *value_set, &json));
    struct buf buf = buf_make(ask->call->cx->arena, REST_TEXT_MAX);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    for (struct json_walk m = json_walk(json); json_next(&m);) {
        json_key_str(&w, json_string(ask->call->cx->arena, m.key));
        if (json_string_is(m.key, S("compose")))
            TRY(write_compose(&pins, &w, m.value));
        else
            json_raw(&w, json_text(m.value));
    }
    json_close(&w, '}');
    *value_set = buf_str(&buf);
    return ERR_OK;
}
