/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"

/*
 * signed: a file that is read only when the signature beside it was made over exactly these bytes
 * by the holder of one key.
 *
 * Source   Ed25519, RFC 8032; keys as PEM (RFC 8410), as "openssl pkey -pubout" writes them.
 * Shapes   a signature is 64 bytes as they are, or in base64.
 * Errors   ERR_RULE: the signature does not hold, or there is none; ERR_INVALID: the key is no
 *          Ed25519 public key; ERR_NOT_FOUND, ERR_IO, ERR_LIMIT of read_file. *out untouched.
 * Memory   *out lives in cx's arena.
 * Hazards  H-006 a chart scored by thresholds nobody stands for.
 */
err signed_read(struct ctx *cx, str path, str signature_path, str key_path,
                str *out) MUST_USE;
