/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/upstream.h"
#include "http/http.h"

/*
 * door: the way to another provider's sign-in and back, for staff and for patients.
 *
 * Source   auth/provider.h for the protocol; auth/upstream.h for who they then are here.
 * Shapes   /sign-in/staff and /sign-in/patients leave; .../back returns. What is refused is said on
 *          the sign-in page. The browser that left is known again by a cookie of ten minutes.
 *          /sign-in/staff?step-up=yes proves afresh who is signed in; ?level=P5 asks less of a
 *          patient than P9.
 * Hazards  H-202, H-203, H-204: see there.
 */
extern const struct route door_routes[];
