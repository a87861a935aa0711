/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load.h"
#include <unistd.h>

/* ---- get: paths of a file ---- */

static char **paths;
static size_t paths_count;
static uint64_t state = 88172645463325252ull;

/* xorshift64: which path comes next need not be a secret. */
static uint64_t draw(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static int read_paths(const char *name)
{
    FILE *file = name ? fopen(name, "r") : NULL;
    char *line = NULL;
    size_t room = 0, cap = 0;
    ssize_t n;
    while (file && (n = getline(&line, &room, file)) > 1) {
        if (paths_count == cap) {
            cap = cap ? cap * 2 : 1024;
            paths = realloc(paths, cap * sizeof *paths);
            if (!paths)
                return 0;
        }
        line[n - 1] = '\0';
        paths[paths_count++] = line;
        line = NULL;
        room = 0;
    }
    if (file)
        fclose(file);
    return paths_count > 0;
}

static size_t next_get(const struct turn *turn, char *out, size_t room)
{
    (void)turn;
    const char *token = getenv("BENCH_TOKEN");
    return (size_t)snprintf(out, room, "GET %s HTTP/1.1\r\nHost: bench\r\n%s%s%s\r\n",
                            paths[draw() % paths_count], token ? "Authorization: Bearer " : "",
                            token ? token : "", token ? "\r\n" : "");
}

/* ---- writes ---- */

static const char patient[] =
    "{\"resourceType\":\"Patient\",%s\"active\":true,\"identifier\":[{\"system\":"
    "\"https://example.org/bench\",\"value\":\"%d-%u-%u\"}],\"name\":[{\"use\":\"official\","
    "\"family\":\"Bench%u\",\"given\":[\"Load\"]}],\"gender\":\"female\",\"birthDate\":"
    "\"19%02u-0%u-1%u\",\"address\":[{\"line\":[\"%u High Street\"],\"city\":\"Leeds\","
    "\"postalCode\":\"LS1 %uAA\"}],\"telecom\":[{\"system\":\"phone\",\"value\":\"0113 496 0%03u\"}"
    "]}";

static size_t write_patient(const struct turn *turn, const char *id, char *out, size_t room)
{
    unsigned n = turn->connection * 7919 + turn->step;
    return (size_t)snprintf(out, room, patient, id, (int)getpid(), turn->connection, turn->step,
                            n % 5000, n % 90 + 10, n % 9 + 1, n % 9, n % 300, n % 9, n % 1000);
}

static size_t with_head(const char *method, const char *path, const char *body, size_t body_bytes,
                        char *out)
{
    int head = snprintf(out, LOAD_REQUEST_MAX,
                        "%s %s HTTP/1.1\r\nHost: bench\r\nContent-Type: application/fhir+json\r\n"
                        "Content-Length: %zu\r\n\r\n", method, path, body_bytes);
    memcpy(out + head, body, body_bytes);
    return (size_t)head + body_bytes;
}

/* Creates, updates what it created, deletes it. */
static size_t next_cud(const struct turn *turn, char *out, size_t room)
{
    (void)room;
    char body[4096], path[200], id[120];
    snprintf(path, sizeof path, "/fhir/Patient/%s", turn->id);
    snprintf(id, sizeof id, "\"id\":\"%s\",", turn->id);
    switch (turn->id[0] ? turn->step % 3 : 0) {
    case 0:
        return with_head("POST", "/fhir/Patient", body, write_patient(turn, "", body, sizeof body),
                         out);
    case 1:
        return with_head("PUT", path, body, write_patient(turn, id, body, sizeof body), out);
    default:
        return with_head("DELETE", path, "", 0, out);
    }
}

static size_t next_pair(const struct turn *turn, char *out, size_t room)
{
    (void)room;
    char who[2048], body[8192];
    size_t n = write_patient(turn, "", who, sizeof who);
    int written = snprintf(
        body, sizeof body,
        "{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":[{\"fullUrl\":"
        "\"urn:uuid:00000000-0000-4000-8000-000000000001\",\"resource\":%.*s,\"request\":"
        "{\"method\":\"POST\",\"url\":\"Patient\"}},{\"resource\":{\"resourceType\":"
        "\"Observation\",\"status\":\"final\",\"category\":[{\"coding\":[{\"system\":"
        "\"http://terminology.hl7.org/CodeSystem/observation-category\",\"code\":\"vital-signs\"}]"
        "}],\"code\":{\"coding\":[{\"system\":\"http://loinc.org\",\"code\":\"8867-4\",\"display\":"
        "\"Heart rate\"}]},\"subject\":{\"reference\":\"urn:uuid:00000000-0000-4000-8000-"
        "000000000001\"},\"effectiveDateTime\":\"2026-03-01T10:%02u:00Z\",\"valueQuantity\":"
        "{\"value\":%u,\"unit\":\"/min\",\"system\":\"http://unitsofmeasure.org\",\"code\":"
        "\"/min\"}},\"request\":{\"method\":\"POST\",\"url\":\"Observation\"}}]}",
        (int)n, who, turn->step % 60, 50 + turn->step % 70);
    return with_head("POST", "/fhir", body, (size_t)written, out);
}

static const struct mix mixes[] = {
    { "get", next_get },
    { "cud", next_cud },
    { "pair", next_pair },
};

const struct mix *mix_find(const char *name, const char *file)
{
    for (size_t i = 0; i < sizeof mixes / sizeof mixes[0]; i++)
        if (strcmp(mixes[i].name, name) == 0)
            return mixes[i].next != next_get || read_paths(file) ? &mixes[i] : NULL;
    return NULL;
}
