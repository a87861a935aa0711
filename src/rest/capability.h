/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "http/http.h"

/*
 * capability: what this server can do, as a CapabilityStatement made from its own tables.
 *
 * Source   hl7.org/fhir/R4/http.html#capabilities, capabilitystatement.html.
 */
http_handler rest_metadata;
