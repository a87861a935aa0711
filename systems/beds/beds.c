/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/claim.h"
#include "module/module.h"

extern const struct module beds_module;
const struct module beds_module = {
    .name = "beds",
    .title = "Beds",
    .hazards = "H-012",
    .claims = beds_claims,
};
