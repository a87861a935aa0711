/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/str.h"

/*
 * sha1: the digest a WebSocket's opening handshake is written in. For nothing else: it protects
 * nothing.
 *
 * Source   FIPS 180-4 section 6.1; RFC 6455 section 4.2.2.
 * Limits   texts of SHA1_TEXT_MAX bytes.
 */
enum { SHA1_BYTES = 20, SHA1_TEXT_MAX = 503 };
void sha1(str text, unsigned char out[SHA1_BYTES]);
