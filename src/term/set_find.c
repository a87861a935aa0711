/* SPDX-License-Identifier: Apache-2.0 */
#include "term/ecl.h"
#include "term/set.h"

/* What a value set is asked, and value sets that are only an address. */

static const char snomed[] = "http://snomed.info/sct";

const struct term_entry *term_set_find(const struct term_set *set, str system, str code)
{
    char memory[512];
    struct arena arena = arena_in(memory, sizeof memory, 1 << 20);
    const struct term_entry *found = NULL;
    uint64_t place;
    if (system.n) {
        str key = arena_printf(&arena, "%.*s\n%.*s", STR_ARG(system), STR_ARG(code));
        found = map_get(&set->places, key, &place) ? &set->entries[place] : NULL;
        arena_free(&arena);
        return found;
    }
    for (size_t i = 0; i < set->count; i++) {
        if (!str_eq(set->entries[i].code, code))
            continue;
        if (found)
            return NULL;
        found = &set->entries[i];
    }
    return found;
}

bool term_set_is_open(const struct term_set *set, str system)
{
    for (size_t i = 0; i < set->open_count; i++)
        if (!system.n || str_eq(set->open[i], system))
            return true;
    return false;
}

/* "?fhir_vs", "?fhir_vs=isa/ID", "?fhir_vs=ecl/TEXT", "?fhir_vs=refset/ID" as a compose. */
static bool implicit_compose(struct arena *arena, str url, str *out)
{
    static const struct { const char *prefix, *filter; } forms[] = {
        { "=isa/", "{\"property\":\"concept\",\"op\":\"is-a\",\"value\":\"%.*s\"}" },
        { "=ecl/", "{\"property\":\"constraint\",\"op\":\"=\",\"value\":\"%.*s\"}" },
        { "=refset/", "{\"property\":\"constraint\",\"op\":\"=\",\"value\":\"^ %.*s\"}" },
        { "", "" },
    };
    size_t mark = str_find(url, S("?fhir_vs"));
    if (!str_starts(url, str_of(snomed)) || mark == STR_NONE)
        return false;
    str rest = str_slice(url, mark + 8, url.n);
    for (size_t i = 0; i < COUNT(forms); i++) {
        if (!str_starts(rest, str_of(forms[i].prefix)))
            continue;
        str value = str_slice(rest, strlen(forms[i].prefix), rest.n), filter = S("");
        if (str_find_char(value, '"') != STR_NONE || str_find_char(value, '\\') != STR_NONE)
            return false;
        char format[128];
        snprintf(format, sizeof format, "%s", forms[i].filter);
        size_t at = str_find(str_of(format), S("%.*s"));
        if (at != STR_NONE)
            filter = arena_printf(arena, "%.*s%.*s%s", (int)at, format, STR_ARG(value),
                                  format + at + 4);
        *out = arena_printf(arena,
            "{\"resourceType\":\"ValueSet\",\"url\":\"%.*s\",\"status\":\"active\",\"compose\":"
            "{\"include\":[{\"system\":\"%s\",\"filter\":[%.*s]}]}}", STR_ARG(url), snomed,
            STR_ARG(filter));
        return true;
    }
    return false;
}

err term_get_set(struct ctx *cx, struct term *term, str canonical, const struct term_set **out)
{
    str text;
    if (!implicit_compose(cx->arena, canonical, &text))
        TRY(term_get_text(cx, term, TERM_VALUE_SET, canonical, &text));
    return term_make_set(cx, term, text, out);
}

/* ---- text ---- */

static bool is_word_start(str text, size_t at)
{
    unsigned char before = at ? (unsigned char)text.p[at - 1] : ' ';
    bool letter = before >= 'a' && before <= 'z', digit = before >= '0' && before <= '9';
    return !letter && !digit && before < 0x80;
}

static bool has_word(str text, str prefix)
{
    for (size_t at = 0; at + prefix.n <= text.n; at++)
        if (is_word_start(text, at) && str_eq(str_slice(text, at, at + prefix.n), prefix))
            return true;
    return false;
}

static bool text_matches(struct arena *arena, str text, str folded_filter)
{
    str folded = term_fold(arena, text), rest = folded_filter, word;
    while (str_next(&rest, ' ', &word))
        if (word.n && !has_word(folded, word))
            return false;
    return true;
}

bool term_entry_matches(struct arena *arena, const struct term_entry *entry, str folded_filter)
{
    if (str_eq(term_fold(arena, entry->code), folded_filter) ||
        text_matches(arena, entry->display, folded_filter))
        return true;
    for (struct json_walk w = json_walk(json_get(entry->listed, S("designation"))); json_next(&w);)
        if (text_matches(arena, json_string(arena, json_get(w.value, S("value"))), folded_filter))
            return true;
    const struct term_concept *concept = term_entry_concept(entry);
    for (uint32_t i = 0; concept && i < concept->designations_count; i++)
        if (text_matches(arena, entry->from->designations[concept->designations + i].value,
                         folded_filter))
            return true;
    return false;
}
