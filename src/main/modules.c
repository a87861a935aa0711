/* SPDX-License-Identifier: Apache-2.0 */
#include "module/module.h"

extern const struct module feeds_module, beds_module, obs_module, record_module;

/* The whole product, one line a system. Order is start-up order. Nothing else lists modules. */
const struct module *const modules[] = {
    &record_module,
    &beds_module,
    &obs_module,
    &feeds_module,
    NULL,
};
