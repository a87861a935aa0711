/* SPDX-License-Identifier: Apache-2.0 */
#include "synth/names.h"
#include "synth/world.h"

/* The hospital and its surroundings: organisations, places, services and staff. */

#define ODS "https://fhir.nhs.uk/Id/ods-organization-code"
#define ODS_SITE "https://fhir.nhs.uk/Id/ods-site-code"
#define PLACE_TYPE "http://terminology.hl7.org/CodeSystem/location-physical-type"

static void organization(struct world *w, const char *id, const char *ods, const char *name,
                         const char *kind)
{
    world_head(w, OUT_ORGANIZATION, "Organization", id);
    out_add(&w->out, ",'identifier':[{'system':'" ODS "','value':'%s'}],'active':true", ods);
    out_add(&w->out, ",'type':[{'coding':[{'system':'http://terminology.hl7.org/CodeSystem/"
            "organization-type','code':'prov','display':'Healthcare Provider'}],'text':'%s'}]",
            kind);
    out_add(&w->out, ",'name':'%s','telecom':[{'system':'phone','value':'01632 960%03d'}]}", name,
            world_pick(w, 1000));
    out_end(&w->out, OUT_ORGANIZATION);
}

static void organizations(struct world *w)
{
    organization(w, "org-trust", "RZZ", "Northmere University Hospitals NHS Foundation Trust",
                 "NHS trust");
    for (int i = 0; i < w->practices; i++) {
        char id[24], ods[16], name[64];
        snprintf(id, sizeof id, "org-gp-%d", i + 1);
        snprintf(ods, sizeof ods, "Z%05d", 10001 + i);
        snprintf(name, sizeof name, "%s %s Surgery", names_streets.items[i % 24],
                 i % 2 ? "House" : "Lane");
        organization(w, id, ods, name, "GP practice");
        snprintf(id, sizeof id, "org-pharmacy-%d", i + 1);
        snprintf(ods, sizeof ods, "FZ%03d", 100 + i % 900);
        snprintf(name, sizeof name, "%s Pharmacy", names_streets.items[(i + 7) % 24]);
        organization(w, id, ods, name, "Community pharmacy");
    }
}

struct place {
    const char *id, *name, *physical, *physical_name, *part_of;
    const char *specialty, *specialty_name, *attribute;
    char status; /* v2-0116 operational status; 0: none */
};

static void location(struct world *w, const struct place *place)
{
    struct out *out = &w->out;
    bool site = place->physical[0] == 's';
    world_head(w, OUT_LOCATION, "Location", place->id);
    out_add(out, ",'identifier':[{'system':'%s','value':'%s'}],'status':'%s'",
            site ? ODS_SITE : WORLD_OWN "Id/place", place->id,
            place->status == 'C' ? "suspended" : "active");
    if (place->status)
        out_add(out, ",'operationalStatus':{'system':'http://terminology.hl7.org/CodeSystem/"
                "v2-0116','code':'%c','display':'%s'}", place->status,
                place->status == 'C' ? "Closed" : place->status == 'H' ? "Housekeeping"
                : place->status == 'K' ? "Contaminated" : place->status == 'O' ? "Occupied"
                : "Unoccupied");
    out_add(out, ",'name':'%s','mode':'instance'", place->name);
    if (place->specialty)
        out_add(out, ",'type':[{'coding':[{'system':'" WORLD_UK
                "CodeSystem/UKCore-PracticeSettingCodeEngland','code':'%s','display':'%s'}]}]",
                place->specialty, place->specialty_name);
    else if (place->attribute)
        out_add(out, ",'type':[%s]", place->attribute);
    out_add(out, ",'physicalType':{'coding':[{'system':'" PLACE_TYPE
            "','code':'%s','display':'%s'}]},'managingOrganization':{'reference':"
            "'Organization/org-trust'}", place->physical, place->physical_name);
    if (place->part_of)
        out_add(out, ",'partOf':{'reference':'Location/%s'}", place->part_of);
    out_add(out, "}");
    out_end(out, OUT_LOCATION);
}

/* What the board must know of a bed, a code each; read by the beds system. */
static void attributes(char *text, size_t size, char sex, bool side_room,
                       enum world_kind kind)
{
    static const char one[] = "{'coding':[{'system':'" WORLD_OWN
                              "CodeSystem/bed-attribute','code':'%s'}]}";
    const char *codes[6];
    size_t count = 0, n = 0;
    codes[count++] = "core";
    codes[count++] = kind == WORLD_CHILDREN ? "paediatric" : "adult";
    if (sex != 'X')
        codes[count++] = sex == 'F' ? "female" : "male";
    if (side_room)
        codes[count++] = "side-room";
    if (kind == WORLD_CRITICAL)
        codes[count++] = "critical";
    if (kind == WORLD_CRITICAL || kind == WORLD_AMU)
        codes[count++] = "monitored";
    for (size_t i = 0; i < count && n < size; i++) {
        n += (size_t)snprintf(text + n, size - n, "%s", i ? "," : "");
        n += (size_t)snprintf(text + n, size - n, one, codes[i]);
    }
}

void world_write_bed(struct world *w, int slot, int64_t cell, char operational_status)
{
    enum world_kind kind = world_slots[slot].kind;
    struct world_id bed = world_bed_id(slot, cell), ward = world_ward_id(kind, cell);
    char type[1024], room[64], name[64], room_name[64];
    bool side_room = world_is_side_room(cell);
    int number = world_slots[slot].bay * WORLD_WARD_CELLS + (int)(cell % WORLD_WARD_CELLS) + 1;
    attributes(type, sizeof type, world_bed_sex(slot, cell), side_room, kind);
    if (side_room) {
        snprintf(room, sizeof room, "room-%s-%d", ward.text + 5, number);
        snprintf(room_name, sizeof room_name, "Side room %d", world_slots[slot].bay + 1);
        location(w, &(struct place){ room, room_name, "ro", "Room", ward.text, NULL, NULL, NULL,
                                     0 });
    } else {
        snprintf(room, sizeof room, "bay-%s-%d", ward.text + 5, world_slots[slot].bay + 1);
    }
    snprintf(name, sizeof name, "Bed %d", number);
    location(w, &(struct place){ bed.text, name, "bd", "Bed", room, NULL, NULL, type,
                                 operational_status });
}

static void wards_of(struct world *w, int64_t cell)
{
    char site[24];
    snprintf(site, sizeof site, "site-%d", (int)(cell / WORLD_SITE_CELLS) + 1);
    for (enum world_kind kind = 0; kind < WORLD_KINDS; kind++) {
        const struct world_ward_kind *k = &world_ward_kinds[kind];
        struct world_id ward = world_ward_id(kind, cell);
        char name[64], number[16] = "";
        if (w->cells > WORLD_WARD_CELLS)
            snprintf(number, sizeof number, " %d", (int)(cell / WORLD_WARD_CELLS) + 1);
        snprintf(name, sizeof name, "%s%s", k->name, number);
        location(w, &(struct place){ ward.text, name, "wa", "Ward", site, k->specialty,
                                     k->specialty_name, NULL, 0 });
    }
    for (int slot = 0; slot < WORLD_SLOTS; slot++) {
        char bay[64], name[16];
        struct world_id ward = world_ward_id(world_slots[slot].kind, cell);
        snprintf(bay, sizeof bay, "bay-%s-%d", ward.text + 5, world_slots[slot].bay + 1);
        snprintf(name, sizeof name, "Bay %c", 'A' + world_slots[slot].bay);
        location(w, &(struct place){ bay, name, "ro", "Room", ward.text, NULL, NULL, NULL, 0 });
    }
}

static void sites(struct world *w)
{
    static const char *const names[] = { "Northmere General Hospital", "Wexley Infirmary",
                                         "Thornbeck Royal Hospital", "Haddonfield Hospital" };
    for (int64_t cell = 0; cell < w->cells; cell += WORLD_SITE_CELLS) {
        int site = (int)(cell / WORLD_SITE_CELLS);
        char id[24], ed[24], clinic[24], name[64];
        snprintf(id, sizeof id, "site-%d", site + 1);
        snprintf(ed, sizeof ed, "ed-%d", site + 1);
        snprintf(clinic, sizeof clinic, "clinic-%d", site + 1);
        snprintf(name, sizeof name, site < 4 ? "%s" : "%s %d", names[site % 4], site / 4 + 1);
        location(w, &(struct place){ id, name, "si", "Site", NULL, NULL, NULL, NULL, 0 });
        location(w, &(struct place){ ed, "Emergency Department", "area", "Area", id, "180",
                                     "Emergency Medicine", NULL, 0 });
        location(w, &(struct place){ clinic, "Outpatient Clinics", "area", "Area", id, NULL, NULL,
                                     NULL, 0 });
    }
    for (int64_t cell = 0; cell < w->cells; cell += WORLD_WARD_CELLS)
        wards_of(w, cell);
}

struct job {
    const char *code, *display, *organization, *location, *specialty, *specialty_name;
};

static void staff(struct world *w, const char *id, const char *prefix, const struct job *job)
{
    size_t ethnicity = world_pick(w, 3) ? 0 : (size_t)world_pick(w, names_ethnicities_count);
    enum names_group group = names_ethnicities[ethnicity].group;
    bool female = world_chance(w, job->code[1] == '8' ? 0.85 : 0.5);
    const struct names_list *given = &names_given[group][female][1];
    const struct names_list *family = &names_family[group];
    struct out *out = &w->out;
    world_head(w, OUT_PRACTITIONER, "Practitioner", id);
    out_add(out, ",'identifier':[{'system':'https://fhir.nhs.uk/Id/sds-user-id','value':"
            "'%012llu'}],'active':true", 555000000000ull + random_below(&w->random, 999999999));
    out_add(out, ",'name':[{'use':'official','family':'%s','given':['%s'],'prefix':['%s']}]"
            ",'gender':'%s'}", family->items[world_pick(w, family->count)],
            given->items[world_pick(w, given->count)], prefix[0] ? prefix : female ? "Ms" : "Mr",
            female ? "female" : "male");
    out_end(out, OUT_PRACTITIONER);
    char role[48];
    snprintf(role, sizeof role, "role-%s", id);
    world_head(w, OUT_ROLE, "PractitionerRole", role);
    out_add(out, ",'active':true,'practitioner':{'reference':'Practitioner/%s'},'organization':"
            "{'reference':'Organization/%s'}", id, job->organization);
    out_add(out, ",'code':[{'coding':[{'system':'" WORLD_UK
            "CodeSystem/UKCore-SDSJobRoleName','code':'%s','display':'%s'}]}]", job->code,
            job->display);
    if (job->specialty)
        out_add(out, ",'specialty':[{'coding':[{'system':'" WORLD_UK
                "CodeSystem/UKCore-PracticeSettingCodeEngland','code':'%s','display':'%s'}]}]",
                job->specialty, job->specialty_name);
    if (job->location)
        out_add(out, ",'location':[{'reference':'Location/%s'}]", job->location);
    out_add(out, "}");
    out_end(out, OUT_ROLE);
}

static void ward_staff(struct world *w, enum world_kind kind, int64_t cell)
{
    const struct world_ward_kind *k = &world_ward_kinds[kind];
    struct world_id ward = world_ward_id(kind, cell);
    struct job consultant = { "R0050", "Consultant", "org-trust", ward.text, k->specialty,
                              k->specialty_name };
    struct job nurse = { "R8001", "Nurse Access Role", "org-trust", ward.text, NULL, NULL };
    for (int64_t i = 0; i < 2; i++)
        staff(w, world_consultant_id(kind, cell + i).text, "Dr", &consultant);
    for (uint64_t i = 0; i < WORLD_NURSES; i++)
        staff(w, world_nurse_id(kind, cell, i).text, "", &nurse);
}

static void all_staff(struct world *w)
{
    for (int64_t cell = 0; cell < w->cells; cell += WORLD_WARD_CELLS)
        for (enum world_kind kind = 0; kind < WORLD_KINDS; kind++)
            ward_staff(w, kind, cell);
    for (int64_t practice = 0; practice < w->practices; practice++)
        for (uint64_t i = 0; i < WORLD_GPS; i++) {
            char organization_id[24];
            snprintf(organization_id, sizeof organization_id, "org-gp-%d", (int)practice + 1);
            staff(w, world_gp_id(practice, i).text, "Dr",
                  &(struct job){ "R0260", "General Medical Practitioner", organization_id, NULL,
                                 NULL, NULL });
        }
}

static void services(struct world *w)
{
    for (enum world_kind kind = WORLD_MEDICINE; kind < WORLD_KINDS; kind++) {
        const struct world_ward_kind *k = &world_ward_kinds[kind];
        char id[24];
        snprintf(id, sizeof id, "service-%s", k->key);
        world_head(w, OUT_SERVICE, "HealthcareService", id);
        out_add(&w->out, ",'active':true,'providedBy':{'reference':'Organization/org-trust'},"
                "'specialty':[{'coding':[{'system':'" WORLD_UK "CodeSystem/"
                "UKCore-PracticeSettingCodeEngland','code':'%s','display':'%s'}]}],'location':"
                "[{'reference':'Location/site-1'}],'name':'%s'}", k->specialty, k->specialty_name,
                k->name);
        out_end(&w->out, OUT_SERVICE);
    }
}

void world_write_places(struct world *w)
{
    organizations(w);
    sites(w);
    services(w);
    all_staff(w);
}
