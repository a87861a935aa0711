/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/str.h"

/*
 * cbor: takes the pieces of a CBOR item apart, as far as an attestation object needs it.
 *
 * Source   RFC 8949, restricted as in CTAP 2.1 section 8 (canonical CBOR): lengths are definite and
 *          written in the shortest form; a map has no key twice.
 * Shapes   what remains to be read is a str that moves on; slices point into the input.
 * Errors   false: malformed, cut short, or deeper than CBOR_DEPTH_MAX.
 * Memory   pure: allocates nothing. Thread-safe.
 */
enum { CBOR_DEPTH_MAX = 8 };
enum cbor_major {
    CBOR_UINT, CBOR_NEGATIVE, CBOR_BYTES, CBOR_TEXT, CBOR_ARRAY, CBOR_MAP, CBOR_TAG, CBOR_SIMPLE
};
struct cbor_head {
    enum cbor_major major;
    uint64_t value; /* a number, a length, or a count of items or pairs */
    str content;    /* of bytes and text */
};
bool cbor_read(str *rest, struct cbor_head *out);
/* The whole next item, with all that is inside it. */
bool cbor_item(str *rest, str *out);
/* The value under a text key of a map that fills `map` to its end; false also when it is absent. */
bool cbor_member(str map, str key, str *out);
