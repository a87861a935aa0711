/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"

/*
 * sandbox: from here on the process can do what a record server does and nothing else: it starts no
 * program, makes no other process, traces nobody, changes nothing of the machine, and has no memory
 * it can both write and run. Whoever takes the server over has that much less.
 *
 * Source   seccomp(2) by libseccomp; systemd's @system-service is the starting point of the list.
 * Shapes   holds for all threads started afterwards, and cannot be taken back. A call outside the
 *          list fails with EPERM.
 * Errors   ERR_IO: the kernel or the machine's policy does not allow it; configuration can do
 *          without ([process] sandbox=no).
 * Limits   builds with sanitizers may also be traced: their leak check needs it.
 */
err sandbox_enter(struct ctx *cx) MUST_USE;
