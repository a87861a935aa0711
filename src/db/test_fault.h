/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdint.h>

/*
 * fault: makes the disk fail once, on demand, beneath SQLite; for tests only.
 *
 * Shapes   fault_install puts a layer between SQLite and the file system for every file opened
 *          afterwards. fault_arm makes call number `after` (from 0) of a kind fail once, or from
 *          then on always. Counting is over the process.
 * Limits   tests run one a process, so the one global state is that test's own.
 */
enum fault_kind { FAULT_WRITE, FAULT_SYNC, FAULT_OPEN, FAULT_TRUNCATE, FAULT_MEMORY, FAULT_KINDS };

void fault_install(void);
void fault_arm(enum fault_kind kind, int64_t after, int code, int for_ever);
void fault_disarm(void);
int64_t fault_calls(enum fault_kind kind); /* since fault_install */
int fault_happened(void);                  /* how often since fault_arm */
