/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ui/home.h"

/*
 * record_shift: what the record adds to the first page of somebody who works here: their patients,
 * their wards, results nobody has acknowledged, their tasks, their notes not signed.
 *
 * Shapes   cards of ui/home.h. Results are of the person's wards, or of the patients they are named
 *          for; the critical ones first, then the longest waiting. Where somebody works everywhere
 *          wards are named without counting in them.
 * Units    ages in words, as on the pages the lines lead to.
 * Missing  a card the role cannot have anything in is left out.
 * Limits   SHIFT_WARDS of one's own wards are looked into; SHIFT_PATIENTS patients one is named
 *          for, SHIFT_TASKS tasks.
 * Hazards  H-108 a result nobody has looked at.
 */
enum { SHIFT_WARDS = 3, SHIFT_PATIENTS = 30, SHIFT_TASKS = 60 };
ui_home_fill shift_fill;
