/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/*
 * json_scan: runs over the plain part of a string, and over white space, many bytes at a time.
 *
 * Shapes   json_scan_plain stops at the first quote, backslash, control character or byte over
 *          0x7F, or at `end`. json_scan_space stops at the first byte that is not JSON white space.
 * Limits   never reads at or past `end`. Both variants are compiled wherever they can be, so that a
 *          test holds them equal; json_scan_plain is the faster one of the platform.
 */
static inline bool json_is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline const char *json_scan_rest(const char *p, const char *end)
{
    while (p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 && *p != '"' &&
           *p != '\\')
        p++;
    return p;
}

/* Eight bytes at once in an ordinary register; the high bit of each byte of `stop` marks a stop. */
static inline const char *json_scan_plain_portable(const char *p, const char *end)
{
    const uint64_t ones = 0x0101010101010101, highs = 0x8080808080808080;
    for (; end - p >= 8; p += 8) {
        uint64_t v;
        memcpy(&v, p, 8);
        uint64_t quote = v ^ (ones * '"'), slash = v ^ (ones * '\\');
        uint64_t stop = v | ((quote - ones) & ~quote) | ((slash - ones) & ~slash) |
                        ((v - ones * 0x20) & ~v);
        if (stop & highs)
            break;
    }
    return json_scan_rest(p, end);
}

#ifdef __SSE2__
#include <emmintrin.h>
static inline const char *json_scan_plain_sse2(const char *p, const char *end)
{
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
    const __m128i space = _mm_set1_epi8(0x20);
    for (; end - p >= 16; p += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        /* Signed: bytes over 0x7F are negative, so one comparison finds them and the controls. */
        __m128i mark = _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash));
        __m128i stop = _mm_or_si128(_mm_cmplt_epi8(v, space), mark);
        int mask = _mm_movemask_epi8(stop);
        if (mask)
            return p + __builtin_ctz((unsigned)mask);
    }
    return json_scan_rest(p, end);
}
static inline const char *json_scan_plain(const char *p, const char *end)
{
    return json_scan_plain_sse2(p, end);
}
#else
static inline const char *json_scan_plain(const char *p, const char *end)
{
    return json_scan_plain_portable(p, end);
}
#endif

/* Pretty-printed text indents with long runs of blanks: eight at a time. */
static inline const char *json_scan_space(const char *p, const char *end)
{
    while (p < end && json_is_space(*p)) {
        uint64_t v;
        for (p++; end - p >= 8; p += 8) {
            memcpy(&v, p, 8);
            if (v != 0x2020202020202020)
                break;
        }
    }
    return p;
}
