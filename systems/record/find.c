/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/record/find.h"
#include "assets.h"
#include "auth/gate.h"
#include "base/map.h"
#include "fhir/datetime.h"
#include "http/text.h"
#include "json/write.h"
#include "record_find.html.h"
#include "store/access.h"
#include "systems/record/home.h"
#include "systems/record/people.h"
#include "systems/record/ward.h"
#include "term/system.h"
#include "ui/browse.h"
#include "ui_page.html.h"

/* A word as short as that is taken whole when a slip in it is looked for. */
enum { QUERY_BYTES = 48 << 10, JSON_BYTES = 1 << 20, SLIPS_BEGIN = 5, NAME_BYTES = 400,
       NAMES_MAX = 12, POINTS_OTHER = 50, SPLITS_SLIPPED = 2 };
#define RECENT_COOKIE "record_recent="

static const char *const islands[] = { ASSET_TABLE_JS, ASSET_KEYS_JS, ASSET_DIALOG_JS };

struct match_person find_person(struct ctx *cx, const struct ui_patient *who)
{
    return (struct match_person){ .family = match_fold(cx, who->family),
                                  .given = match_fold(cx, who->given),
                                  .surname = who->family, .forenames = who->given,
                                  .born = who->birth_date, .nhs = who->nhs_number,
                                  .hospital = who->hospital_number };
}

/* One of the names of a Patient: maiden names and nicknames are names, too. */
static struct match_person named(struct ctx *cx, struct json name, struct match_person person)
{
    struct buf given = buf_make(cx->arena, NAME_BYTES);
    for (struct json_walk w = json_walk(json_get(name, S("given"))); json_next(&w);)
        if (given.n + 1 + json_text(w.value).n < NAME_BYTES)
            buf_printf(&given, "%s%.*s", given.n ? " " : "",
                       STR_ARG(json_string(cx->arena, w.value)));
    person.surname = term_fold(cx->arena, match_plain(cx, record_text(cx, name, "family")));
    person.forenames = term_fold(cx->arena, match_plain(cx, buf_str(&given)));
    person.family = match_fold(cx, person.surname);
    person.given = match_fold(cx, json_string(cx->arena, json_at(json_get(name, S("given")), 0)));
    return person;
}

static str name_text(struct ctx *cx, struct json name)
{
    struct ui_patient who = { .family = record_text(cx, name, "family"),
                              .given = json_string(cx->arena,
                                                   json_at(json_get(name, S("given")), 0)) };
    return who.family.n ? ui_patient_name(cx, &who) : who.given;
}

/* A number that is theirs, though not the one that is shown: from before a merge, a new issue. */
static bool other_number(struct ctx *cx, const struct match_ask *ask, struct json body)
{
    for (struct json_walk w = json_walk(json_get(body, S("identifier"))); json_next(&w);) {
        str value = record_text(cx, w.value, "value");
        if (value.n && ((ask->nhs.n && str_eq(value, ask->nhs)) ||
                        (ask->hospital.n && str_eq_nocase(value, ask->hospital))))
            return true;
    }
    return false;
}

/* The best of all names and numbers; the name that is shown first. */
static struct match_score score_of(struct ctx *cx, const struct match_ask *ask, struct json body,
                                   const struct match_person *shown)
{
    struct match_score best = match_person(cx, ask, shown);
    size_t names = 0;
    for (struct json_walk w = json_walk(json_get(body, S("name")));
         json_next(&w) && names++ < NAMES_MAX;) {
        struct match_person other = named(cx, w.value, *shown);
        struct match_score score = match_person(cx, ask, &other);
        bool same = str_eq(other.family, shown->family) && str_eq(other.given, shown->given);
        if (score.points <= best.points)
            continue;
        best = score;
        if (!same)
            best.why = arena_printf(cx->arena, "%.*s (also known as %.*s)", STR_ARG(score.why),
                                    STR_ARG(name_text(cx, w.value)));
    }
    if (!best.points && other_number(cx, ask, body))
        best = (struct match_score){ POINTS_OTHER, false, S("another number of theirs") };
    return best;
}

/* ---- candidates ---- */

/* One search for people, and those already seen. */
struct hunt {
    struct ctx *cx;
    struct store *store;
    const struct match_ask *ask;
    struct find_list *list;
    struct map seen;
    size_t looked;
    bool foreign;          /* beyond the asker's own patients */
    const int64_t *days;   /* only those born then; NULL: whenever */
    size_t days_count;
};

static bool is_replaced(struct json body)
{
    for (struct json_walk w = json_walk(json_get(body, S("link"))); json_next(&w);)
        if (json_string_is(json_get(w.value, S("type")), S("replaced-by")))
            return true;
    return false;
}

/* Compares one person; those nobody can mean cost a look and are forgotten. */
static void compare(struct hunt *hunt, struct json body, int64_t pid)
{
    struct ctx *cx = hunt->cx;
    struct find_row row = { .who = ui_patient_of(cx, body), .pid = pid, .foreign = hunt->foreign };
    bool labelled = json_count(json_get(json_get(body, S("meta")), S("security"))) > 0;
    hunt->looked++;
    row.match = find_person(cx, &row.who);
    row.replaced = is_replaced(body);
    struct match_score score = score_of(cx, hunt->ask, body, &row.match);
    if (!score.points || (hunt->foreign && (!score.full || labelled)) ||
        !map_add(&hunt->seen, row.who.id, 1, NULL))
        return;
    row.points = score.points;
    row.full = score.full;
    row.why = score.why;
    hunt->list->rows[hunt->list->rows_count++] = row;
}

/* People by a query of the FHIR search: numbers and dates. */
static err add_candidates(struct hunt *hunt, str query)
{
    struct ctx *cx = hunt->cx;
    struct record_set set;
    if (hunt->looked >= FIND_LOOKED)
        return ERR_OK;
    size_t most = FIND_LOOKED - hunt->looked;
    TRY(record_find(cx, hunt->store, "Patient", query, most < FIND_QUERY ? most : FIND_QUERY,
                    &set));
    hunt->list->more = hunt->list->more || set.more;
    for (size_t i = 0; i < set.count; i++)
        compare(hunt, set.items[i].body, set.items[i].pid);
    return ERR_OK;
}

/* People by number; one who went meanwhile, or may not be seen, is not there. */
static err add_people(struct hunt *hunt, const int64_t *rids, size_t count)
{
    struct ctx *cx = hunt->cx;
    for (size_t i = 0; i < count; i++) {
        struct store_version version;
        struct json body;
        size_t issues = cx->issues.count, kept = cx->issues.kept;
        char key[24];
        int n = snprintf(key, sizeof key, "#%lld", (long long)rids[i]);
        str name = { key, (size_t)n };
        if (map_get(&hunt->seen, name, &(uint64_t){ 0 }))
            continue;
        map_add(&hunt->seen, arena_copy(cx->arena, name), 1, NULL);
        if (hunt->looked >= FIND_LOOKED) {
            hunt->list->more = true;
            return ERR_OK;
        }
        err wrong = store_read_rid(cx, hunt->store, rids[i], &version);
        if (wrong == ERR_IO || wrong == ERR_BUG)
            return wrong;
        cx->issues.count = issues;
        cx->issues.kept = kept;
        if (wrong)
            continue;
        TRY(json_parse(cx, version.body, &body));
        compare(hunt, body, version.pid);
    }
    return ERR_OK;
}

static void put_values(struct buf *query, const char *name, const str *values, size_t count)
{
    buf_printf(query, "%s%s=", query->n ? "&" : "", name);
    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_char(query, ',');
        http_encode(query, values[i]);
    }
}

static bool has_full(const struct find_list *list)
{
    for (size_t i = 0; i < list->rows_count; i++)
        if (list->rows[i].full)
            return true;
    return false;
}

static str upper(struct ctx *cx, str word)
{
    char *out = arena_alloc(cx->arena, word.n);
    for (size_t i = 0; i < word.n; i++)
        out[i] = word.p[i] >= 'a' && word.p[i] <= 'z' ? (char)(word.p[i] - 32) : word.p[i];
    return (str){ out, word.n };
}

/* People with one of these surnames and, when given, one of those first names. */
static err by_name(struct hunt *hunt, struct people_name family, struct people_name given)
{
    struct people people;
    struct people_ask ask = { family, given, hunt->days, hunt->days_count };
    TRY(people_named(hunt->cx, hunt->store, &ask, &people));
    hunt->list->more = hunt->list->more || people.more;
    return add_people(hunt, people.rids, people.count);
}

/* How a name is looked for, from the narrowest way to the widest. */
enum manner { WHOLE, BEGUN, SLIPPED, MANNERS };

/* The names a slip away, without the one typed, which was looked for before. */
static struct people_name variants(struct hunt *hunt, str name)
{
    str *list = arena_array(hunt->cx->arena, MATCH_VARIANTS_MAX, sizeof *list);
    size_t count = match_variants(hunt->cx, name, list);
    return (struct people_name){ list + 1, count - 1, name.n < SLIPS_BEGIN, name };
}

/* All spellings of a name, for those who have it whole, or whose name begins with it. */
static struct people_name spelt(struct hunt *hunt, str name, bool whole)
{
    str *list = arena_array(hunt->cx->arena, MATCH_SPELLINGS_MAX, sizeof *list);
    size_t count = name.n ? match_spellings(hunt->cx, name, list) : 0;
    return (struct people_name){ list, count, whole, { 0 } };
}

static bool is_one_word(str name)
{
    return str_find_char(name, ' ') == STR_NONE;
}

static err by_both(struct hunt *hunt, struct match_names names, enum manner manner)
{
    struct people_name f = spelt(hunt, names.family, manner == WHOLE);
    struct people_name g = spelt(hunt, names.given, manner == WHOLE);
    if (manner != SLIPPED)
        return by_name(hunt, f, g);
    if (f.count && is_one_word(names.family))
        TRY(by_name(hunt, variants(hunt, names.family), g));
    return g.count && f.count && is_one_word(names.given)
               ? by_name(hunt, f, variants(hunt, names.given)) : ERR_OK;
}

static bool is_enough(const struct hunt *hunt)
{
    return hunt->list->rows_count >= FIND_SHOWN;
}

static err by_names(struct hunt *hunt)
{
    struct match_names splits[MATCH_SPLITS_MAX];
    size_t count = match_splits(hunt->cx, hunt->ask, splits);
    /* with a date of birth slips are found by the date */
    int manners = hunt->ask->born.n ? SLIPPED : MANNERS;
    for (int manner = 0; manner < manners; manner++) {
        size_t tried = manner == SLIPPED && count > SPLITS_SLIPPED ? SPLITS_SLIPPED : count;
        for (size_t i = 0; i < tried && !is_enough(hunt); i++)
            TRY(by_both(hunt, splits[i], (enum manner)manner));
    }
    return ERR_OK;
}

/* Born one slip of the pen away from the day typed, with a surname that is not far either. */
static err by_near_birth(struct hunt *hunt, const str *dates, size_t count)
{
    struct ctx *cx = hunt->cx;
    struct match_names splits[MATCH_SPLITS_MAX];
    struct people_name none = { 0 };
    size_t splits_count = match_splits(cx, hunt->ask, splits);
    int64_t *days = arena_array(cx->arena, MATCH_DATES_MAX, sizeof *days);
    err done = ERR_OK;
    for (size_t i = 0; i < count; i++) {
        struct datetime day;
        if (datetime_parse(dates[i], DATETIME_AS_DATE, &day))
            days[hunt->days_count++] = day.low_ms;
    }
    hunt->days = days;
    for (size_t i = 0; i < splits_count && done == ERR_OK; i++)
        if (splits[i].family.n)
            done = by_name(hunt, spelt(hunt, splits[i].family, true), none);
    for (size_t i = 0; i < splits_count && i < SPLITS_SLIPPED && done == ERR_OK; i++)
        if (splits[i].family.n && is_one_word(splits[i].family))
            done = by_name(hunt, variants(hunt, splits[i].family), none);
    hunt->days = NULL;
    hunt->days_count = 0;
    return done;
}

/* Everybody born on that day, and those a slip of the pen away: who is alike is to be seen, too. */
static err by_birth(struct hunt *hunt)
{
    str dates[MATCH_DATES_MAX];
    size_t count = match_dates(hunt->cx, hunt->ask->born, dates);
    if (count == 0)
        return ERR_OK;
    TRY(add_candidates(hunt, arena_printf(hunt->cx->arena, "birthdate=%.*s", STR_ARG(dates[0]))));
    return hunt->ask->words_count ? by_near_birth(hunt, dates + 1, count - 1)
                                  : ERR_OK;
}

/* Somebody with few patients of their own: each is looked at, whatever was typed. */
static bool has_few(const struct ctx *cx)
{
    const struct store_access *access = cx->access;
    return access && !access->any_patient && access->pids_count <= FIND_LOOKED / 2;
}

static err hunt_all(struct hunt *hunt)
{
    const struct match_ask *ask = hunt->ask;
    struct buf query = buf_make(hunt->cx->arena, QUERY_BYTES);
    if (ask->nhs.n || ask->hospital.n) {
        str value = ask->nhs.n ? ask->nhs : ask->hospital;
        str cases[] = { value, term_fold(hunt->cx->arena, value), upper(hunt->cx, value) };
        put_values(&query, "identifier", cases, COUNT(cases));
        TRY(add_candidates(hunt, buf_str(&query)));
        if (!ask->or_date)
            return ERR_OK;
    }
    if (has_few(hunt->cx))
        return add_people(hunt, hunt->cx->access->pids, hunt->cx->access->pids_count);
    if (ask->born.n)
        TRY(by_birth(hunt));
    return ask->words_count ? by_names(hunt) : ERR_OK;
}

/* Beyond the asker's patients: whole matches alone, for those who may break the glass. */
static err hunt_foreign(struct hunt *hunt)
{
    struct ctx *cx = hunt->cx;
    bool whole = hunt->ask->nhs.n || hunt->ask->hospital.n ||
                 (hunt->ask->born.n && hunt->ask->words_count > 1);
    if (!cx->user || !cx->user->asker.role->may_break_glass || !whole || has_full(hunt->list) ||
        !cx->access ||
        cx->access->any_patient)
        return ERR_OK;
    struct store_access wide = *cx->access;
    const struct store_access *own = cx->access;
    wide.any_patient = true;
    cx->access = &wide;
    hunt->foreign = true;
    hunt->looked = 0;
    err done = hunt_all(hunt);
    cx->access = own;
    return done;
}

/* Many are compared; only those who are shown have been seen, says the audit. */
static err hunt_unseen(struct hunt *hunt)
{
    struct ctx *cx = hunt->cx;
    const struct store_access *own = cx->access;
    if (!own)
        return hunt_all(hunt);
    struct store_access quiet = *own;
    quiet.seen = NULL;
    cx->access = &quiet;
    err done = hunt_all(hunt);
    if (done == ERR_OK)
        done = hunt_foreign(hunt);
    cx->access = own;
    return done;
}

static int nearer(const void *a, const void *b)
{
    const struct find_row *x = a, *y = b;
    if (x->points != y->points)
        return y->points - x->points;
    int family = str_cmp(x->match.family, y->match.family);
    return family ? family : str_cmp(x->match.given, y->match.given);
}

void find_mark_alike(struct find_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = i + 1; k < count; k++)
            if (match_alike(&rows[i].match, &rows[k].match))
                rows[i].alike = rows[k].alike = true;
}

/* All were found by one name: what marks them is that more of them is the same. */
static void mark_confusable(struct ctx *cx, struct find_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = i + 1; k < count; k++)
            if (match_confusable(cx, &rows[i].match, &rows[k].match))
                rows[i].alike = rows[k].alike = true;
}

static err find_people(struct ctx *cx, struct store *store, struct find_list *list)
{
    struct match_ask ask;
    struct hunt hunt = { .cx = cx, .store = store, .ask = &ask, .list = list,
                         .seen = map_make(cx->arena) };
    TRY(match_read(cx, list->typed, list->born, &ask));
    list->asked = list->typed.n || list->born.n;
    list->nhs_wrong = ask.nhs_wrong;
    list->may_break = cx->user && cx->user->asker.role->may_break_glass;
    list->rows = arena_array(cx->arena, 2 * FIND_LOOKED + 1, sizeof *list->rows);
    if (!list->asked)
        return ERR_OK;
    TRY(hunt_unseen(&hunt));
    qsort(list->rows, list->rows_count, sizeof *list->rows, nearer);
    if (list->rows_count > FIND_SHOWN) {
        list->rows_count = FIND_SHOWN;
        list->more = true;
    }
    mark_confusable(cx, list->rows, list->rows_count);
    if (!list->rows_count)
        access_miss(cx->access);
    for (size_t i = 0; i < list->rows_count; i++)
        access_see(cx->access, list->rows[i].pid);
    for (size_t i = 0; i < list->rows_count; i++)
        list->rows[i].place = list->rows[i].foreign
                                  ? S("") : ward_place_of(cx, store, list->rows[i].who.id);
    return ERR_OK;
}

/* ---- pages ---- */

static void make_fields(struct find_list *list)
{
    list->fields[0] = (struct ui_field){ .name = "q", .value = list->typed,
                                         .label = "NHS number, hospital number or name" };
    list->fields[1] = (struct ui_field){ .name = "born", .label = "Date of birth",
                                         .value = list->born, .autocomplete = "off" };
}

static void write_json(struct ctx *cx, const struct find_list *list, struct buf *buf)
{
    struct json_writer w = json_writer(buf);
    json_open(&w, '{');
    json_key(&w, "matches");
    json_open(&w, '[');
    for (size_t i = 0; i < list->rows_count; i++) {
        const struct find_row *row = &list->rows[i];
        json_open(&w, '{');
        json_put_str(&w, "id", row->foreign ? (str){ 0 } : row->who.id);
        json_put_str(&w, "name", ui_patient_name(cx, &row->who));
        json_put_str(&w, "birthDate", row->who.birth_date);
        json_put_str(&w, "nhsNumber", row->who.nhs_number);
        json_put_str(&w, "why", row->why);
        json_put_bool(&w, "full", row->full);
        json_put_bool(&w, "similarName", row->alike);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_put_bool(&w, "more", list->more);
    json_close(&w, '}');
}

static struct ui_page find_page(struct http_request *request, str title)
{
    struct ui_page page = ui_page_for(request, title);
    page.section = "/record";
    page.islands = islands;
    page.islands_count = COUNT(islands);
    return page;
}

err find_list_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct find_list list = { .typed = http_query_value(cx->arena, request->query, S("q")),
                              .born = http_query_value(cx->arena, request->query, S("born")) };
    TRY(store_reader(cx, request->store));
    err found = find_people(cx, request->store, &list);
    bool json = str_find(http_header(request, "Accept"), S("application/json")) != STR_NONE;
    if (found != ERR_OK && (found != ERR_INVALID || json))
        return found;
    if (json) {
        struct buf buf = buf_make(cx->arena, JSON_BYTES);
        write_json(cx, &list, &buf);
        response->content_type = S("application/json");
        response->body = buf_str(&buf);
        return ERR_OK;
    }
    make_fields(&list);
    if (found == ERR_INVALID) {
        ui_fields_blame(&cx->issues, list.fields, COUNT(list.fields));
        response->status = 400;
    }
    struct ui_page page = find_page(request, S("Find a patient"));
    struct buf out = ui_page_buf(request);
    page.back_href = S("/record");
    page.back_text = S("Patients");
    ui_page_open(&out, &page);
    find_results(&out, cx, &list);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}

/* ---- the second identifier ---- */

static err confirm_page(struct http_request *request, struct http_response *response,
                        struct find_confirm *confirm)
{
    struct ui_page page = find_page(request, S("Confirm who this is"));
    struct buf out = ui_page_buf(request);
    page.back_href = S("/record");
    page.back_text = S("Patients");
    ui_page_open(&out, &page);
    find_confirm_page(&out, request->cx, confirm);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}

static struct ui_field second_field(str value)
{
    return (struct ui_field){ .name = "second", .value = value, .required = true,
        .autocomplete = "off", .label = "Date of birth, NHS number or hospital number",
        .hint = "Ask the patient or read the wristband. Do not copy it from this screen." };
}

err find_confirm_get(struct http_request *request, struct http_response *response)
{
    struct record_look look;
    err opened = record_look_open(request, response, &look);
    if (opened == ERR_NOT_FOUND || opened == ERR_GONE)
        return record_look_refuse(request, response);
    TRY(opened);
    struct find_confirm confirm = { look.banner, second_field((str){ 0 }), { 0 } };
    return confirm_page(request, response, &confirm);
}

/* The whole of a number or the whole date; part of one proves nothing. */
static bool proves(struct ctx *cx, const struct ui_patient *who, str typed)
{
    struct match_ask ask;
    size_t count = cx->issues.count, kept = cx->issues.kept;
    bool read = match_read(cx, typed, S(""), &ask) == ERR_OK;
    cx->issues.count = count;
    cx->issues.kept = kept;
    return read && ((ask.nhs.n && str_eq(ask.nhs, who->nhs_number)) ||
                    (ask.hospital.n && str_eq_nocase(ask.hospital, who->hospital_number)) ||
                    (ask.born.n && str_eq(ask.born, who->birth_date)));
}

err find_confirm_post(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct record_look look;
    err opened = record_look_open(request, response, &look);
    if (opened == ERR_NOT_FOUND || opened == ERR_GONE)
        return record_look_refuse(request, response);
    TRY(opened);
    str second = str_trim(http_query_value(cx->arena, request->body, S("second")));
    if (proves(cx, &look.banner.who, second)) {
        response->status = 303;
        http_put_header(response, S("Location"), arena_printf(cx->arena, "/record/patient/%.*s",
                                                              STR_ARG(look.patient)));
        return ERR_OK;
    }
    struct find_confirm confirm = { look.banner, second_field(second), { 0 } };
    confirm.field.error = S("That is not this patient's. Check with the patient, or find them "
                            "again.");
    response->status = 422;
    return confirm_page(request, response, &confirm);
}

/* ---- the first page ---- */

static str recent_cookie(const struct http_request *request)
{
    str all = http_header(request, "Cookie"), one;
    while (str_next(&all, ';', &one)) {
        one = str_trim(one);
        if (str_starts(one, S(RECENT_COOKIE)))
            return str_slice(one, sizeof RECENT_COOKIE - 1, one.n);
    }
    return (str){ 0 };
}

/* The cookie names the person it was kept for: the next one at this machine starts with none. */
static str recent_ids(const struct http_request *request)
{
    const struct ctx *cx = request->cx;
    str ids = recent_cookie(request), who = cx->user ? cx->user->person.name : S("open"), head;
    return str_next(&ids, ':', &head) && str_eq(head, who) ? ids : (str){ 0 };
}

void find_remember(struct record_look *look)
{
    struct ctx *cx = look->cx;
    str ids = recent_ids(look->request), id;
    struct buf value = buf_make(cx->arena, 4096);
    buf_printf(&value, RECENT_COOKIE "%.*s:%.*s", STR_ARG(cx->user ? cx->user->person.name
                                                                   : S("open")),
               STR_ARG(look->patient));
    for (size_t kept = 1; kept < FIND_RECENT && str_next(&ids, '/', &id);) {
        if (str_eq(id, look->patient))
            continue;
        buf_printf(&value, "/%.*s", STR_ARG(id));
        kept++;
    }
    buf_printf(&value, "; Path=/record; HttpOnly; SameSite=Strict");
    http_put_header(look->response, S("Set-Cookie"), buf_str(&value));
}

static void add_recent(struct http_request *request, struct find_home *home)
{
    struct ctx *cx = request->cx;
    str ids = recent_ids(request), id;
    home->recent = arena_array(cx->arena, FIND_RECENT, sizeof *home->recent);
    while (home->recent_count < FIND_RECENT && str_next(&ids, '/', &id)) {
        struct record_item item;
        size_t count = cx->issues.count, kept = cx->issues.kept;
        if (record_read(cx, request->store, "Patient", id, &item) == ERR_OK) {
            struct find_row *row = &home->recent[home->recent_count++];
            row->who = ui_patient_of(cx, item.body);
            row->place = ward_place_of(cx, request->store, row->who.id);
            row->full = true;
        }
        cx->issues.count = count;
        cx->issues.kept = kept;
    }
}

/* Inpatients this person is named for: attending, referring, in charge. */
static err add_mine(struct http_request *request, struct find_home *home)
{
    struct ctx *cx = request->cx;
    struct record_set set;
    struct map seen = map_make(cx->arena);
    if (!cx->user || !str_starts(cx->user->person.who, S("Practitioner/")))
        return ERR_OK;
    TRY(record_find(cx, request->store, "Encounter",
                    arena_printf(cx->arena, "participant=%.*s&status=in-progress&_sort=-date",
                                 STR_ARG(cx->user->person.who)), FIND_SHOWN, &set));
    home->mine = arena_array(cx->arena, set.count + 1, sizeof *home->mine);
    for (size_t i = 0; i < set.count; i++) {
        struct record_item item;
        str id = record_reference_id(cx, set.items[i].body, "subject", "Patient");
        if (!id.n || !map_add(&seen, id, 1, NULL) ||
            record_read(cx, request->store, "Patient", id, &item) != ERR_OK)
            continue;
        struct find_row *row = &home->mine[home->mine_count++];
        row->who = ui_patient_of(cx, item.body);
        row->match = find_person(cx, &row->who);
        row->place = ward_place_of(cx, request->store, id);
        row->full = true;
    }
    find_mark_alike(home->mine, home->mine_count);
    return ERR_OK;
}

err find_drafts(struct ctx *cx, struct store *store, str who, struct find_draft **out,
                size_t *count)
{
    struct record_set set;
    TRY(record_find(cx, store, "Composition",
                    arena_printf(cx->arena, "author=%.*s&status=preliminary&_sort=-date",
                                 STR_ARG(who)), FIND_SHOWN, &set));
    struct find_draft *drafts = arena_array(cx->arena, set.count + 1, sizeof *drafts);
    *count = 0;
    for (size_t i = 0; i < set.count; i++) {
        struct record_item patient;
        struct json body = set.items[i].body;
        str id = record_reference_id(cx, body, "subject", "Patient");
        if (!id.n || record_read(cx, store, "Patient", id, &patient) != ERR_OK)
            continue;
        struct ui_patient shown = ui_patient_of(cx, patient.body);
        drafts[(*count)++] = (struct find_draft){
            .title = record_text(cx, body, "title"), .patient = ui_patient_name(cx, &shown),
            .when = record_brief_when(cx, record_when(cx, body)),
            .href = home_href(cx, id, &set.items[i]),
        };
    }
    *out = drafts;
    return ERR_OK;
}

/* One document on its way or refused, as a line that leads to its note. */
static bool read_sending(struct ctx *cx, struct store *store, const struct record_item *item,
                         struct find_draft *out)
{
    struct record_item document, patient;
    str id = record_reference_id(cx, item->body, "subject", "Patient");
    if (!id.n || record_read(cx, store, "Patient", id, &patient) != ERR_OK ||
        record_read(cx, store, "DocumentReference", item->id, &document) != ERR_OK)
        return false;
    str note = record_reference_id(cx, json_get(document.body, S("context")), "related",
                                   "Composition");
    bool refused = json_string_is(json_get(item->body, S("status")), S("stopped"));
    struct ui_patient shown = ui_patient_of(cx, patient.body);
    *out = (struct find_draft){
        .title = refused ? S("Refused") : S("Not received yet"),
        .patient = ui_patient_name(cx, &shown),
        .when = record_brief_when(cx, record_when(cx, document.body)),
        .href = arena_printf(cx->arena, "/record/patient/%.*s/entry/discharge/%.*s", STR_ARG(id),
                             STR_ARG(note)),
    };
    return note.n > 0;
}

/* What this person sent and no practice has confirmed: their own to see to. */
static err find_sending(struct ctx *cx, struct store *store, struct find_home *home)
{
    struct record_set set;
    TRY(record_find(cx, store, "Communication",
                    arena_printf(cx->arena, "sender=%.*s&status=in-progress,stopped"
                                 "&_sort=-_lastUpdated", STR_ARG(cx->user->person.who)),
                    FIND_SHOWN, &set));
    home->sending = arena_array(cx->arena, set.count + 1, sizeof *home->sending);
    for (size_t i = 0; i < set.count; i++)
        home->sending_count += read_sending(cx, store, &set.items[i],
                                            &home->sending[home->sending_count]);
    cx->issues.count = cx->issues.kept = 0;
    return ERR_OK;
}

err find_home_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct find_home home = { 0 };
    TRY(store_reader(cx, request->store));
    make_fields(&home.find);
    TRY(ward_links(cx, &home.wards, &home.wards_count, &home.whole_hospital));
    TRY(add_mine(request, &home));
    if (cx->user && str_starts(cx->user->person.who, S("Practitioner/"))) {
        TRY(find_drafts(cx, request->store, cx->user->person.who, &home.drafts,
                        &home.drafts_count));
        TRY(find_sending(cx, request->store, &home));
    }
    home.may_merge = record_permits(cx, S("records.merge"));
    add_recent(request, &home);
    struct ui_page page = find_page(request, S("Patients"));
    struct buf out = ui_page_buf(request);
    ui_page_open(&out, &page);
    find_home_page(&out, cx, &home);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}
