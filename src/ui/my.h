/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/proxy.h"
#include "ui/components.h"

/*
 * my: a patient's first page: their own record in short, or that of somebody they act for.
 *
 * Source   patient-app 1.1 and 1.4. For patients and their proxies, on a phone first.
 * Shapes   /my shows what the one decision lets this person read; a claimed identity (P5) is told
 *          how to prove itself and sees no record. Other proxies of a patient are never named.
 * Hazards  H-204 a claimed identity taken for a verified one; H-205 a proxy keeps access.
 */
struct my_item {
    str text, when;
};
struct my_part {
    const char *heading, *none;
    const struct my_item *items;
    size_t items_count;
};
enum { MY_ITEMS_MAX = 5, MY_SEEN_MAX = 1000 };
struct my_page {
    struct ui_page page;
    struct ctx *cx;
    str csrf, name, acting_for;  /* acting_for: a name; empty: their own record */
    bool reads;                  /* there is a record to show */
    struct ui_patient patient;
    const struct my_part *parts;
    size_t parts_count;
    const struct proxy *proxies;
    size_t proxies_count;
};
extern const struct route my_routes[];
