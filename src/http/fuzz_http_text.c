/* SPDX-License-Identifier: Apache-2.0 */
#include "http/text.h"
#include <assert.h>

/*
 * Goal: whatever the bytes, the small parsers of HTTP stay within them: what is decoded is no
 * longer than what was sent and encodes to something that decodes to it again; a date that is read
 * is written as a date that reads the same; lists come to an end.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_escapes(struct arena *arena, str text)
{
    str once, again;
    if (!http_decode(arena, text, true, &once))
        return;
    assert(once.n <= text.n);
    struct buf encoded = buf_make(arena, 1 << 20);
    http_encode(&encoded, once);
    bool decoded = http_decode(arena, buf_str(&encoded), true, &again);
    assert(memchr(once.p ? once.p : "", 0, once.n) || (decoded && str_eq(once, again)));
}

static void try_lists(str text)
{
    struct http_accept item;
    struct http_param param;
    size_t count = 0;
    for (str list = text; http_next_accept(&list, &item); count++)
        assert(item.q_milli >= 0 && item.q_milli <= 1000);
    for (str query = text; http_next_param(&query, &param); count++)
        assert(param.name.n + param.value.n <= text.n);
    assert(count <= 2 * text.n + 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = arena_make((size_t)8 << 20);
    str text = { (const char *)data, size > 10000 ? 10000 : size };
    char date[HTTP_DATE_TEXT];
    int64_t at_ms = http_date_parse(text);
    if (at_ms) {
        http_date_write(at_ms, date);
        assert(http_date_parse((str){ date, sizeof date }) == at_ms);
    }
    try_escapes(&arena, text);
    try_lists(text);
    arena_free(&arena);
    return 0;
}
