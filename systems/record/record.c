/* SPDX-License-Identifier: Apache-2.0 */
#include "module/module.h"
#include "systems/record/codes.h"
#include "systems/record/discharge.h"
#include "systems/record/file.h"
#include "systems/record/find.h"
#include "systems/record/follow.h"
#include "systems/record/home.h"
#include "systems/record/medicine.h"
#include "systems/record/merge.h"
#include "systems/record/record_sql.h"
#include "systems/record/result.h"
#include "systems/record/save.h"
#include "systems/record/send.h"
#include "systems/record/shift.h"
#include "systems/record/ward.h"
#include "systems/record/wrong.h"

/* clang-format off: one row a route. */
#define FIND "record.find"
#define READ "record.read"
#define WRITE "record.write"
#define PATIENT "/record/patient/{patient}"
#define SLOW ROUTE_SLOW
static const struct route routes[] = {
    { "GET", "/record", FIND, find_home_get, "Find a patient; wards; opened lately", SLOW },
    { "GET", "/record/find", FIND, find_list_get, "Who matches what was typed", SLOW },
    { "GET", "/record/confirm/{patient}", FIND, find_confirm_get,
      "Ask for a second identifier", SLOW },
    { "POST", "/record/confirm/{patient}", FIND, find_confirm_post, "Check it, and open", SLOW },
    { "GET", "/record/ward/{ward}", READ, ward_get, "Patients of a ward, by bed", SLOW },
    { "GET", "/record/ward/{ward}/handover", READ, ward_handover_get, "The handover sheet", SLOW },
    { "GET", "/record/ward/{ward}/results", READ, ward_results_get,
      "Results not acknowledged", SLOW },
    { "GET", "/record/ward/{ward}/downtime", READ, ward_downtime_get, "The pack for paper", SLOW },
    { "GET", PATIENT, READ, home_get, "The summary of one record", SLOW },
    { "GET", PATIENT "/{tab}", READ, home_tab_get, "One subject: timeline, results ...", SLOW },
    { "GET", PATIENT "/new/{kind}", WRITE, save_new_get, "The form of a new entry", SLOW },
    { "POST", PATIENT "/new/{kind}", WRITE, save_new_post, "Write an entry", SLOW },
    { "GET", PATIENT "/entry/{kind}/{id}", READ, save_entry_get,
      "An entry and its versions", SLOW },
    { "POST", PATIENT "/entry/{kind}/{id}", WRITE, save_entry_post, "Change an entry", SLOW },
    { "POST", PATIENT "/entry/{kind}/{id}/sign", WRITE, save_sign_post, "Sign a note", SLOW },
    { "POST", PATIENT "/entry/{kind}/{id}/cosign", WRITE, save_sign_post, "Co-sign a note", SLOW },
    { "POST", PATIENT "/entry/discharge/{id}/send", WRITE, discharge_send_post,
      "Send it to the GP", SLOW },
    { "GET", PATIENT "/item/{type}/{id}", READ, wrong_item_get, "An entry of any type", SLOW },
    { "GET", PATIENT "/file/{type}/{id}/{n}", READ, file_get, "A file of a document", SLOW },
    { "GET", PATIENT "/wrong/{type}/{id}", WRITE, wrong_get, "What is wrong with an entry?", SLOW },
    { "POST", PATIENT "/wrong/{type}/{id}", WRITE, wrong_post, "Mark it, or move it", SLOW },
    { "POST", PATIENT "/acknowledge", WRITE, result_acknowledge_post, "Results were seen",
      SLOW | ROUTE_REPEATS },
    { "POST", PATIENT "/reconcile/{id}", WRITE, medicine_decide_post,
      "Decide about a medicine", SLOW },
    { "GET", "/record/live", READ, follow_get, "Changes of a record or a ward, as they come", 0 },
    { "GET", "/record/codes", READ, codes_get, "Codes while typing", SLOW },
    { "GET", "/record/merge", "records.merge", merge_get, "Compare two records", SLOW },
    { "POST", "/record/merge", "records.merge", merge_post, "Merge them, or take it back", SLOW },
    { 0 },
};
/* clang-format on */

static const struct consumer *const consumers[] = { &send_outbox, NULL };
static const struct due_kind *const due[] = { &send_due, NULL };

extern const struct module record_module;
const struct module record_module = {
    .name = "record",
    .title = "Patients",
    .page = "/record",
    .key = "p",
    .hazards = "H-003 H-011 H-100 H-101 H-102 H-103 H-104 H-105 H-106 H-107 H-108 H-109 H-110 "
               "H-111 H-112 H-113 H-114 H-115 H-116",
    .routes = routes,
    .sql = record_sql,
    .feed = &record_feed,
    .home = shift_fill,
    .consumers = consumers,
    .due = due,
};
