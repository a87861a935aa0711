/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"

/*
 * base64: bytes as letters, as FHIR's base64Binary has them.
 *
 * Source   RFC 4648 section 4, with padding; white space between is read over.
 * Errors   decode is false for any other letter, wrong padding or bits left over.
 */
str base64_encode(struct arena *arena, str bytes);
bool base64_decode(struct arena *arena, str text, str *out);
