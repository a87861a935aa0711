/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/role.h"

/* clang-format off: these rows are read by the people who sign them, so they line up. */
static const char *const groups[ROLE_GROUPS] = {
    [ROLE_DEMOGRAPHICS] = "Patient RelatedPerson Person Group",
    [ROLE_CLINICAL] =
        "Observation Condition Procedure AllergyIntolerance DiagnosticReport Specimen ImagingStudy "
        "Media FamilyMemberHistory ClinicalImpression RiskAssessment DetectedIssue AdverseEvent "
        "DeviceUseStatement DeviceMetric BodyStructure MolecularSequence Immunization "
        "ImmunizationEvaluation ImmunizationRecommendation Goal CarePlan CareTeam NutritionOrder "
        "VisionPrescription Flag Device Consent QuestionnaireResponse GuidanceResponse "
        "ResearchSubject",
    [ROLE_MEDICINES] =
        "MedicationRequest MedicationAdministration MedicationDispense MedicationStatement "
        "Medication MedicationKnowledge SupplyRequest SupplyDelivery",
    [ROLE_NOTES] = "DocumentReference DocumentManifest Composition Communication "
        "CommunicationRequest List Binary Bundle Linkage Basic",
    [ROLE_FLOW] =
        "Encounter EpisodeOfCare Appointment AppointmentResponse ServiceRequest Task DeviceRequest "
        "RequestGroup Schedule Slot",
    [ROLE_DIRECTORY] =
        "Organization OrganizationAffiliation Practitioner PractitionerRole Location "
        "HealthcareService Endpoint BiologicallyDerivedProduct DeviceDefinition Substance "
        "SubstanceSpecification VerificationResult",
    [ROLE_KNOWLEDGE] =
        "ActivityDefinition CapabilityStatement CodeSystem CompartmentDefinition ConceptMap "
        "EffectEvidenceSynthesis EventDefinition Evidence EvidenceVariable ExampleScenario "
        "GraphDefinition ImplementationGuide Library Measure MeasureReport MessageDefinition "
        "MessageHeader NamingSystem OperationDefinition OperationOutcome Parameters PlanDefinition "
        "Questionnaire ResearchDefinition ResearchElementDefinition ResearchStudy "
        "RiskEvidenceSynthesis SearchParameter SpecimenDefinition StructureDefinition StructureMap "
        "Subscription TerminologyCapabilities TestReport TestScript ValueSet CatalogEntry "
        "ObservationDefinition MedicinalProduct MedicinalProductAuthorization "
        "MedicinalProductContraindication MedicinalProductIndication MedicinalProductIngredient "
        "MedicinalProductInteraction MedicinalProductManufactured MedicinalProductPackaged "
        "MedicinalProductPharmaceutical MedicinalProductUndesirableEffect SubstanceNucleicAcid "
        "SubstancePolymer SubstanceProtein SubstanceReferenceInformation SubstanceSourceMaterial",
    [ROLE_FINANCE] =
        "Account ChargeItem ChargeItemDefinition Claim ClaimResponse Contract Coverage "
        "CoverageEligibilityRequest CoverageEligibilityResponse EnrollmentRequest "
        "EnrollmentResponse ExplanationOfBenefit InsurancePlan Invoice PaymentNotice "
        "PaymentReconciliation",
    [ROLE_SECURITY] = "AuditEvent Provenance",
};
static const char *const group_names[ROLE_GROUPS] = {
    "demographics", "clinical", "medicines", "notes", "flow", "directory", "knowledge", "finance",
    "security",
};

const struct role_label role_labels[] = {
    { "R",     "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "R",     "restricted" },
    { "V",     "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "V",     "very restricted" },
    { "NOPAT", "http://terminology.hl7.org/CodeSystem/v3-ActCode",         "NOPAT", "not to be shown to the patient" },
    { "STD",   "http://terminology.hl7.org/CodeSystem/v3-ActCode",         "STD",   "sexual health" },
    { "EMP",   "http://terminology.hl7.org/CodeSystem/v3-ActCode",         "EMP",   "record of a member of staff" },
};
const size_t role_labels_count = COUNT(role_labels);

/* dem, clinical, medicines, notes, flow, directory, knowledge, finance, security */
const struct role roles[] = {
    { "hca", "Healthcare assistant", NULL, ROLE_RELATED,
      { "r", "cru", "r", "r", "r", "r", "r", NULL, NULL },
      "beds.read obs.* record.read", "NOPAT", false },
    { "nurse", "Registered nurse", "R8001", ROLE_RELATED,
      { "ru", "cru", "cru", "cru", "cru", "r", "r", NULL, "cr" },
      "beds.* obs.* record.*", "NOPAT STD R", true },
    { "nurse_in_charge", "Nurse in charge or ward manager", "R8001", ROLE_RELATED,
      { "cru", "cru", "cru", "cru", "cru", "r", "r", NULL, "cr" },
      "beds.* obs.* record.* staff.read", "NOPAT STD R EMP", true },
    { "doctor", "Doctor", "R8000", ROLE_RELATED,
      { "cru", "cru", "cru", "cru", "cru", "r", "r", NULL, "cr" },
      "beds.* obs.* record.*", "NOPAT STD R EMP", true },
    { "consultant", "Consultant", "R8000", ROLE_RELATED,
      { "cru", "cru", "cru", "cru", "cru", "r", "r", NULL, "cr" },
      "beds.* obs.* record.* record.sign", "NOPAT STD R V EMP", true },
    { "pharmacist", "Pharmacist", "R8003", ROLE_RELATED,
      { "r", "cru", "cru", "cru", "r", "r", "r", NULL, "cr" },
      "pharmacy.* record.read obs.read", "NOPAT STD R EMP", true },
    { "ahp", "Allied health professional", "R8003", ROLE_RELATED,
      { "r", "cru", "r", "cru", "cru", "r", "r", NULL, "cr" },
      "beds.read obs.* record.*", "NOPAT", true },
    { "outreach", "Critical care outreach", "R8001", ROLE_EVERYONE,
      { "r", "cru", "cru", "cru", "cru", "r", "r", NULL, "cr" },
      "beds.read obs.* record.*", "NOPAT STD R EMP", true },
    { "bed_manager", "Bed manager or site team", "R8008", ROLE_EVERYONE,
      { "r", NULL, NULL, NULL, "cru", "ru", "r", NULL, NULL },
      "beds.*", "", false },
    { "ward_clerk", "Ward clerk", "R8010", ROLE_RELATED,
      { "cru", NULL, NULL, NULL, "cru", "r", "r", NULL, NULL },
      "beds.read beds.write record.find", "", false },
    { "coder", "Clinical coder", "R8012", ROLE_EVERYONE,
      { "r", "ru", "r", "r", "ru", "r", "r", "cru", NULL },
      "record.read", "", false },
    { "records_officer", "Records and merge officer", "R8012", ROLE_EVERYONE,
      { "cru", "ru", "ru", "ru", "ru", "cru", "r", NULL, "cr" },
      "record.*", "", false },
    { "privacy_officer", "Privacy officer", "R0001", ROLE_EVERYONE,
      { "r", NULL, NULL, NULL, NULL, "r", "r", NULL, "r" },
      "privacy.*", "", false },
    { "caldicott", "Caldicott guardian", "R5105", ROLE_EVERYONE,
      { "r", "r", "r", "r", "r", "r", "r", NULL, "r" },
      "privacy.*", "NOPAT STD R V EMP", false },
    { "safety_officer", "Clinical safety officer", NULL, ROLE_EVERYONE,
      { NULL, NULL, NULL, NULL, "r", "r", "r", NULL, "r" },
      "safety.* reports.read", "", false },
    { "system_admin", "System administrator", "R8015", ROLE_OWN,
      { NULL, NULL, NULL, NULL, NULL, "cru", "crud", NULL, NULL },
      "admin.*", "", false },
    { "patient", "Patient", NULL, ROLE_OWN,
      { "r", "r", "r", "r", "r", "r", "r", NULL, "r" },
      "app.*", "STD EMP R", false },
    { "proxy", "Proxy of a patient", NULL, ROLE_OWN,
      { "r", "r", "r", "r", "r", "r", "r", NULL, NULL },
      "app.*", "", false },
    { "service", "Backend service or operator's token, limited by its scopes", NULL, ROLE_EVERYONE,
      { "crud", "crud", "crud", "crud", "crud", "crud", "crud", "crud", "cr" },
      "*", "NOPAT STD R V EMP", false },
};
/* clang-format on */
const size_t roles_count = COUNT(roles);

/* An activity and those it includes directly. Source: staff-identity 4.1, National RBAC. */
static const struct {
    const char *code, *includes;
} activities[] = {
    { "B0825", "B0820" }, /* amend demographics: view them */
    { "B0380", "B0360" }, /* perform detailed record: view it */
    { "B0420", "B0401" }, /* independent prescribing: view medication */
    { "B0572", "B0401" }, /* pharmacy activities: view medication */
    { "B0360", "B0820" }, /* view detailed record: view demographics */
};

static bool has_word(str words, str wanted)
{
    str word;
    while (str_next(&words, ' ', &word))
        if (str_eq(word, wanted))
            return true;
    return false;
}

const struct role *role_find(str name)
{
    for (size_t i = 0; i < roles_count; i++)
        if (str_eq(name, str_of(roles[i].name)))
            return &roles[i];
    return NULL;
}

enum role_group role_group_of(uint16_t resource)
{
    str name = fhir_resource_name(resource);
    for (size_t group = 0; group < ROLE_GROUPS; group++)
        if (has_word(str_of(groups[group]), name))
            return (enum role_group)group;
    return ROLE_GROUPS;
}

const char *role_group_name(enum role_group group)
{
    return group_names[group];
}

bool role_may(const struct role *role, uint16_t resource, char letter)
{
    enum role_group group = role_group_of(resource);
    const char *may = group == ROLE_GROUPS ? NULL : role->may[group];
    return may && strchr(may, letter);
}

/* "*" covers all, "beds.*" covers "beds.read"; anything else must be the same word. */
static bool pattern_covers(str pattern, str permission)
{
    if (str_eq(pattern, S("*")))
        return true;
    if (str_ends(pattern, S(".*")))
        return str_starts(permission, str_slice(pattern, 0, pattern.n - 1));
    return str_eq(pattern, permission);
}

bool role_permits(const struct role *role, str permission)
{
    str patterns = str_of(role->permissions), pattern;
    while (str_next(&patterns, ' ', &pattern))
        if (pattern_covers(pattern, permission))
            return true;
    return false;
}

bool role_sees_label(const struct role *role, const struct role_label *label)
{
    return has_word(str_of(role->labels), str_of(label->name));
}

enum { ACTIVITIES_MAX = 256 };

static size_t add_activity(str *list, size_t count, str code)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(list[i], code))
            return count;
    if (code.n && count < ACTIVITIES_MAX)
        list[count++] = code;
    return count;
}

static void sort_words(str *list, size_t count)
{
    for (size_t i = 1; i < count; i++)
        for (size_t j = i; j > 0 && str_cmp(list[j - 1], list[j]) > 0; j--) {
            str swap = list[j];
            list[j] = list[j - 1];
            list[j - 1] = swap;
        }
}

str role_activities_closure(struct arena *arena, str codes)
{
    str *list = arena_array(arena, ACTIVITIES_MAX, sizeof *list), word;
    size_t count = 0;
    while (str_next(&codes, ' ', &word))
        count = add_activity(list, count, word);
    for (size_t i = 0; i < count; i++)
        for (size_t a = 0; a < COUNT(activities); a++)
            if (str_eq(list[i], str_of(activities[a].code)))
                count = add_activity(list, count, str_of(activities[a].includes));
    sort_words(list, count);
    str text = S("");
    for (size_t i = 0; i < count; i++)
        text = arena_printf(arena, "%.*s%s%.*s", STR_ARG(text), i ? " " : "", STR_ARG(list[i]));
    return text;
}
