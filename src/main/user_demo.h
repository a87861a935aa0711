/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/people.h"

/*
 * user_demo: one account a role for the demonstration that ./run serves.
 *
 * Shapes   names are those of the roles. With somebody of the invented hospital behind each where
 *          there is one: a ward's nurses and consultants, a patient, and a carer whose consent
 *          ./run puts into the record.
 * Errors   ERR_IO. Accounts that are there already stay as they are.
 */
#define USER_DEMO_PATIENT "p000001"
#define USER_DEMO_CARER "9999999999" /* NHS number of the carer: of the range for tests */

/* Prints a line for each. */
err user_demo(struct ctx *cx, struct people *people, str folder) MUST_USE;
