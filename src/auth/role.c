/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/role.h"
#include <pthread.h>

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
    [ROLE_SECURITY] = "Provenance",
    [ROLE_AUDIT] = "AuditEvent",
};
static const char *const group_names[ROLE_GROUPS] = {
    "demographics", "clinical", "medicines", "notes", "flow", "directory", "knowledge", "finance",
    "security", "audit",
};

const struct role_label role_labels[] = {
    { "R",     "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "R",     "restricted" },
    { "V",     "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "V",     "very restricted" },
    { "NOPAT", "http://terminology.hl7.org/CodeSystem/v3-ActCode",         "NOPAT", "not to be shown to the patient" },
    { "STD",   "http://terminology.hl7.org/CodeSystem/v3-ActCode",         "STD",   "sexual health" },
    { "EMP",   "http://terminology.hl7.org/CodeSystem/v3-ActCode",         "EMP",   "record of a member of staff" },
};
const size_t role_labels_count = COUNT(role_labels);

/* dem, clinical, medicines, notes, flow, directory, knowledge, finance, security, audit */
const struct role roles[] = {
    { "hca", "Healthcare assistant", NULL, ROLE_RELATED,
      { "r", "cru", "r", "r", "r", "r", "r", NULL, NULL, NULL },
      "beds.read obs.read obs.write record.read record.find", "NOPAT", "TREAT", false },
    { "nurse", "Registered nurse", "R8001", ROLE_RELATED,
      { "ru", "cru", "cru", "cru", "cru", "r", "r", NULL, "cr", NULL },
      "beds.* obs.read obs.write record.*", "NOPAT STD R", "TREAT", true },
    { "nurse_in_charge", "Nurse in charge or ward manager", "R8001", ROLE_RELATED,
      { "cru", "cru", "cru", "cru", "cru", "r", "r", NULL, "cr", NULL },
      "beds.* obs.read obs.write obs.rota record.* staff.read rota.write", "NOPAT STD R EMP",
      "TREAT", true },
    { "doctor", "Doctor", "R8000", ROLE_RELATED,
      { "cru", "cru", "cru", "cru", "cru", "r", "r", NULL, "cr", NULL },
      "beds.* obs.read obs.write obs.decide record.*", "NOPAT STD R EMP", "TREAT", true },
    { "consultant", "Consultant", "R8000", ROLE_RELATED,
      { "cru", "cru", "cru", "cru", "cru", "r", "r", NULL, "cr", NULL },
      "beds.* obs.read obs.write obs.decide record.* record.sign", "NOPAT STD R V EMP", "TREAT",
      true },
    { "pharmacist", "Pharmacist", "R8003", ROLE_RELATED,
      { "r", "cru", "cru", "cru", "r", "r", "r", NULL, "cr", NULL },
      "pharmacy.* record.read record.find obs.read", "NOPAT STD R EMP", "TREAT", true },
    { "ahp", "Allied health professional", "R8003", ROLE_RELATED,
      { "r", "cru", "r", "cru", "cru", "r", "r", NULL, "cr", NULL },
      "beds.read obs.read obs.write record.*", "NOPAT", "TREAT", true },
    { "outreach", "Critical care outreach", "R8001", ROLE_EVERYONE,
      { "r", "cru", "cru", "cru", "cru", "r", "r", NULL, "cr", NULL },
      "beds.read obs.* record.*", "NOPAT STD R EMP", "TREAT", true },
    { "bed_manager", "Bed manager or site team", "R8008", ROLE_EVERYONE,
      { "r", NULL, NULL, NULL, "cru", "ru", "r", NULL, NULL, NULL },
      "beds.* rota.write", "", "HOPERAT", false },
    { "infection_control", "Infection prevention and control", "R8001", ROLE_EVERYONE,
      { "r", "cru", "r", "cru", "cru", "r", "r", NULL, "cr", NULL },
      "beds.read beds.write obs.read record.*", "NOPAT STD R", "TREAT", true },
    { "ward_clerk", "Ward clerk", "R8010", ROLE_RELATED,
      { "cru", NULL, NULL, NULL, "cru", "r", "r", NULL, NULL, NULL },
      "beds.read beds.write record.find", "", "HOPERAT", false },
    { "coder", "Clinical coder", "R8012", ROLE_EVERYONE,
      { "r", "ru", "r", "r", "ru", "r", "r", "cru", NULL, NULL },
      "record.read record.find", "", "HOPERAT", false },
    { "records_officer", "Records and merge officer", "R8012", ROLE_EVERYONE,
      { "cru", "ru", "ru", "ru", "ru", "cru", "r", NULL, "cr", NULL },
      "record.* records.* feeds.*", "", "HOPERAT", false },
    { "privacy_officer", "Privacy officer", "R0001", ROLE_EVERYONE,
      { "r", NULL, NULL, NULL, NULL, "r", "r", NULL, "r", "r" },
      "privacy.* access.explain", "", "HCOMPL", false },
    { "caldicott", "Caldicott guardian", "R5105", ROLE_EVERYONE,
      { "r", "r", "r", "r", "r", "r", "r", NULL, "r", "r" },
      "privacy.* access.explain", "NOPAT STD R V EMP", "HCOMPL", false },
    { "safety_officer", "Clinical safety officer", NULL, ROLE_EVERYONE,
      { NULL, NULL, NULL, NULL, "r", "r", "r", NULL, "r", NULL },
      "safety.* reports.read", "", "PATSFTY", false },
    { "system_admin", "System administrator", "R8015", ROLE_OWN,
      { NULL, NULL, NULL, NULL, NULL, "cru", "crud", NULL, NULL, NULL },
      "admin.* feeds.read", "", "HSYSADMIN", false },
    { "patient", "Patient", NULL, ROLE_OWN,
      { "r", "r", "r", "r", "r", "r", "r", NULL, "r", NULL },
      "app.*", "STD EMP R", "PATRQT", false },
    { "proxy", "Proxy of a patient", NULL, ROLE_OWN,
      { "r", "r", "r", "r", "r", "r", "r", NULL, NULL, NULL },
      "app.*", "", "FAMRQT", false },
    { "claimant", "Patient whose identity is claimed, not yet verified", NULL, ROLE_OWN,
      { NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL },
      "app.home app.submit", "", "PATRQT", false },
    { "service", "Backend service or operator's token, limited by its scopes", NULL, ROLE_EVERYONE,
      { "crud", "crud", "crud", "crud", "crud", "crud", "crud", "crud", "cr", "cr" },
      "*", "NOPAT STD R V EMP", "HOPERAT", false },
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

/* Every request asks: so the words are read once. */
struct by_type {
    uint8_t group[ROLE_TYPES_WORDS * 64];
    uint64_t types[ROLE_GROUPS][ROLE_TYPES_WORDS];
};
static struct by_type by_type;
static pthread_once_t by_type_once = PTHREAD_ONCE_INIT;

static enum role_group group_by_words(uint16_t resource)
{
    str name = fhir_resource_name(resource);
    for (size_t group = 0; group < ROLE_GROUPS; group++)
        if (has_word(str_of(groups[group]), name))
            return (enum role_group)group;
    return ROLE_GROUPS;
}

static void read_groups(void)
{
    for (uint16_t i = 0; i < fhir_resources_count; i++) {
        enum role_group group = group_by_words(i);
        by_type.group[i] = (uint8_t)group;
        if (group != ROLE_GROUPS)
            by_type.types[group][i / 64] |= (uint64_t)1 << (i % 64);
    }
}

enum role_group role_group_of(uint16_t resource)
{
    pthread_once(&by_type_once, read_groups);
    return (enum role_group)by_type.group[resource];
}

void role_types(const struct role *role, char letter, uint64_t out[ROLE_TYPES_WORDS])
{
    pthread_once(&by_type_once, read_groups);
    memset(out, 0, ROLE_TYPES_WORDS * sizeof *out);
    for (size_t group = 0; group < ROLE_GROUPS; group++)
        for (size_t i = 0; role->may[group] && strchr(role->may[group], letter) &&
                           i < ROLE_TYPES_WORDS; i++)
            out[i] |= by_type.types[group][i];
}

bool role_keeps_close(uint16_t resource)
{
    str name = fhir_resource_name(resource);
    return role_group_of(resource) == ROLE_NOTES || str_eq(name, S("Group")) ||
           str_eq(name, S("Parameters")) || str_eq(name, S("MessageHeader"));
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
