/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/rest.h"
#include "rest/bundle.h"
#include "rest/capability.h"
#include "rest/find.h"
#include "rest/op.h"
#include "rest/operation_validate.h"
#include "rest/read.h"
#include "rest/write.h"

/* clang-format off */
#define RESOURCE_OP "http://hl7.org/fhir/OperationDefinition/Resource-"
#define FRONTLINE_OP "https://frontline.example/fhir/OperationDefinition/"
const struct operation operations[] = {
    { "$validate", NULL, OPERATION_TYPE | OPERATION_INSTANCE, false, operation_validate,
      "Hold a resource to R4, to the profiles it claims and to one you name",
      "http://hl7.org/fhir/OperationDefinition/Resource-validate" },
    { "$meta", NULL, OPERATION_INSTANCE, false, op_meta, "Profiles, tags and labels",
      RESOURCE_OP "meta" },
    { "$meta-add", NULL, OPERATION_INSTANCE, true, op_meta_add, "Add profiles, tags and labels",
      RESOURCE_OP "meta-add" },
    { "$meta-delete", NULL, OPERATION_INSTANCE, true, op_meta_delete,
      "Take profiles, tags and labels off", RESOURCE_OP "meta-delete" },
    { "$everything", "Patient", OPERATION_INSTANCE, false, op_everything,
      "All that is known about a patient",
      "http://hl7.org/fhir/OperationDefinition/Patient-everything" },
    { "$everything", "Encounter", OPERATION_INSTANCE, false, op_everything,
      "All that belongs to an encounter",
      "http://hl7.org/fhir/OperationDefinition/Encounter-everything" },
    { "$lastn", "Observation", OPERATION_TYPE, false, op_lastn, "The last n of each kind",
      "http://hl7.org/fhir/OperationDefinition/Observation-lastn" },
    { "$stats", "Observation", OPERATION_TYPE, false, op_stats, "Statistics over observations",
      "http://hl7.org/fhir/OperationDefinition/Observation-stats" },
    { "$document", "Composition", OPERATION_INSTANCE, false, op_document,
      "The document of a composition",
      "http://hl7.org/fhir/OperationDefinition/Composition-document" },
    { "$graphql", NULL, OPERATION_SYSTEM | OPERATION_INSTANCE, false, op_graphql,
      "Ask for just the elements you need, across resources",
      RESOURCE_OP "graphql" },
    { "$match", "Patient", OPERATION_TYPE, false, op_match, "Who this may be, graded",
      "http://hl7.org/fhir/OperationDefinition/Patient-match" },
    { "$merge", "Patient", OPERATION_TYPE, true, op_merge,
      "Retire one record of a person in favour of another", FRONTLINE_OP "Patient-merge" },
    { "$unmerge", "Patient", OPERATION_TYPE, true, op_unmerge, "Take a merge back",
      FRONTLINE_OP "Patient-unmerge" },
    { 0 },
};

const struct route rest_routes[] = {
    { "GET",    "/fhir/metadata", "open", rest_metadata, "The CapabilityStatement", ROUTE_SLOW },
    { "GET",    "/fhir", "fhir.search", rest_find, "Search the whole record", ROUTE_SLOW },
    { "POST",   "/fhir", "fhir.batch", rest_bundle, "Batch or transaction", ROUTE_SLOW },
    { "GET",    "/fhir/", "fhir.search", rest_find, "Search the whole record", ROUTE_SLOW },
    { "POST",   "/fhir/", "fhir.batch", rest_bundle, "Batch or transaction", ROUTE_SLOW },
    { "POST",   "/fhir/_search", "fhir.search", rest_find, "Search the whole record", ROUTE_SLOW },
    { "GET",    "/fhir/_history", "fhir.read", rest_history, "Every version of everything",
      ROUTE_SLOW },
    { "GET",    "/fhir/${operation}", "fhir.read", rest_operation_system,
      "An operation on the system", ROUTE_SLOW },
    { "POST",   "/fhir/${operation}", "fhir.read", rest_operation_system,
      "An operation on the system", ROUTE_SLOW },
    { "GET",    "/fhir/{type}", "fhir.search", rest_find, "Search a type", ROUTE_SLOW },
    { "POST",   "/fhir/{type}", "fhir.create", rest_create, "Create a resource", 0 },
    { "PUT",    "/fhir/{type}", "fhir.update", rest_update, "Update by condition", 0 },
    { "PATCH",  "/fhir/{type}", "fhir.update", rest_patch, "Patch by condition", 0 },
    { "DELETE", "/fhir/{type}", "fhir.delete", rest_delete, "Delete by condition", 0 },
    { "POST",   "/fhir/{type}/_search", "fhir.search", rest_find, "Search a type", ROUTE_SLOW },
    { "GET",    "/fhir/{type}/_history", "fhir.search", rest_history, "Every version of a type",
      ROUTE_SLOW },
    { "GET",    "/fhir/{type}/${operation}", "fhir.read", rest_operation_type,
      "An operation on a type", ROUTE_SLOW },
    { "POST",   "/fhir/{type}/${operation}", "fhir.read", rest_operation_type,
      "An operation on a type", ROUTE_SLOW },
    { "GET",    "/fhir/{type}/{id}", "fhir.read", rest_read, "Read a resource", 0 },
    { "PUT",    "/fhir/{type}/{id}", "fhir.update", rest_update, "Update or create a resource", 0 },
    { "PATCH",  "/fhir/{type}/{id}", "fhir.update", rest_patch, "Change parts of a resource", 0 },
    { "DELETE", "/fhir/{type}/{id}", "fhir.delete", rest_delete, "Delete a resource", 0 },
    { "GET",    "/fhir/{type}/{id}/_history", "fhir.read", rest_history,
      "Every version of a resource", 0 },
    { "GET",    "/fhir/{type}/{id}/_history/{vid}", "fhir.read", rest_read, "Read a version", 0 },
    { "GET",    "/fhir/{type}/{id}/${operation}", "fhir.read", rest_operation_instance,
      "An operation on a resource", ROUTE_SLOW },
    { "POST",   "/fhir/{type}/{id}/${operation}", "fhir.read", rest_operation_instance,
      "An operation on a resource", ROUTE_SLOW },
    { "GET",    "/fhir/{type}/{id}/{other}", "fhir.search", rest_find_compartment,
      "Search a compartment", ROUTE_SLOW },
    { "POST",   "/fhir/{type}/{id}/{other}/_search", "fhir.search", rest_find_compartment,
      "Search a compartment", ROUTE_SLOW },
    { 0 },
};
/* clang-format on */
