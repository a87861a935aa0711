/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/page.h"
#include "auth/gate.h"
#include "base/local.h"
#include "http/text.h"
#include "ui/asset.h"
#include "ui/sign_in.h"

static const struct ui_link *nav_links;
static size_t nav_links_count;

void ui_nav_set(const struct ui_link *links, size_t count)
{
    nav_links = links;
    nav_links_count = count;
}

/* The value of a cookie; absent when it was not sent. */
static str cookie_value(const struct http_request *request, str name)
{
    str all = http_header(request, "Cookie"), one;
    while (str_next(&all, ';', &one)) {
        str value = str_trim(one), key;
        if (str_next(&value, '=', &key) && str_eq(key, name))
            return value;
    }
    return (str){ 0 };
}

static const char *theme_of(str chosen)
{
    static const char *const themes[] = { "day", "night" };
    for (size_t i = 0; i < COUNT(themes); i++)
        if (str_eq(chosen, str_of(themes[i])))
            return themes[i];
    return "auto";
}

/* Who is signed in; a token's holder has no header to stand in. */
static str user_of(const struct ctx *cx)
{
    const struct user *user = cx->user;
    return user && user->csrf.n ? user->person.display : (str){ 0 };
}

static str user_name_of(const struct ctx *cx)
{
    const struct user *user = cx->user;
    return user && user->csrf.n ? user->person.name : (str){ 0 };
}

static const struct zone *zone_of(const struct ctx *cx)
{
    const struct user *user = cx->user;
    return user ? user->zone : NULL;
}

/* The systems in the header are staff's; a patient's pages need none of them. */
static const struct ui_link patient_links[] = {
    { "/my", "My record", NULL, "app.home", true },
    { "/my/access", "Who has looked", NULL, "app.access", true },
    { "/account", "Sign-ins and apps", NULL, "app.home", true },
};

static bool may_open(const struct role *role, const char *permission)
{
    str type = S("type:"), asked = permission ? str_of(permission) : S("");
    if (str_starts(asked, type))
        return role_may(role, fhir_resource_find(str_slice(asked, type.n, asked.n)), 'r');
    return !asked.n || role_permits(role, asked);
}

/* What this person may open; where nobody signs in, what needs no person. */
void ui_page_nav_of(struct ctx *cx, const struct role *role, struct ui_page *page)
{
    bool patient = role && role_permits(role, S("app.home")) && !role_permits(role, S("*"));
    const struct ui_link *all = patient ? patient_links : nav_links;
    size_t count = patient ? COUNT(patient_links) : nav_links_count;
    struct ui_link *links = arena_array(cx->arena, count + 1, sizeof *links);
    page->nav_count = 0;
    for (size_t i = 0; i < count; i++)
        if (role ? may_open(role, all[i].permission) : !all[i].person)
            links[page->nav_count++] = all[i];
    page->nav = links;
}

struct ui_page ui_page_for(const struct http_request *request, str title)
{
    struct ui_page page = {
        .title = title,
        .now_ms = request->cx->now_ms,
        .theme = theme_of(cookie_value(request, S("theme"))),
        .path = request->query.n ? arena_printf(request->cx->arena, "%.*s?%.*s",
                                                STR_ARG(request->path), STR_ARG(request->query))
                                 : request->path,
        .as_of = ui_time(request->cx, request->cx->now_ms),
        .user = user_of(request->cx),
        .user_name = user_name_of(request->cx),
        .zone = zone_of(request->cx),
    };
    const struct user *user = request->cx->user;
    ui_page_nav_of(request->cx, user ? user->asker.role : NULL, &page);
    return page;
}

struct buf ui_page_buf(struct http_request *request)
{
    return buf_make(request->cx->arena, UI_PAGE_BYTES);
}

err ui_page_send(struct http_request *request, struct http_response *response,
                 const struct buf *page)
{
    if (page->full)
        return ctx_fail(request->cx, ERR_LIMIT, S(""), S("the page would be too large: ask for "
                                                         "less of it"));
    response->body = buf_str(page);
    response->content_type = S("text/html; charset=utf-8");
    http_put_header(response, S("Content-Security-Policy"),
                    S("default-src 'none'; script-src 'self'; style-src 'self'; "
                      "img-src 'self' data: blob:; connect-src 'self'; form-action 'self'; "
                      "frame-ancestors 'none'; base-uri 'none'"));
    http_put_header(response, S("Referrer-Policy"), S("same-origin"));
    http_put_header(response, S("X-Frame-Options"), S("DENY"));
    http_put_header(response, S("Cross-Origin-Opener-Policy"), S("same-origin"));
    return ERR_OK;
}

/* ---- how times, dates and numbers read ---- */

static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

str ui_time(struct ctx *cx, int64_t at_ms)
{
    struct clock_civil at = local_civil(at_ms);
    return arena_printf(cx->arena, "%d %s %d, %02d:%02d", at.day, months[at.month - 1], at.year,
                        at.hour, at.minute);
}

str ui_clock(struct ctx *cx, int64_t at_ms)
{
    struct clock_civil at = local_civil(at_ms);
    return arena_printf(cx->arena, "%02d:%02d", at.hour, at.minute);
}

/* Parts of a FHIR date; those not given are 0. False when it is no date. */
static bool date_parts(str date, uint64_t *year, uint64_t *month, uint64_t *day)
{
    *year = *month = *day = 0;
    str left = str_slice(date, 0, 10), part;
    if (!str_next(&left, '-', &part) || part.n != 4 || !str_to_u64(part, year))
        return false;
    if (str_next(&left, '-', &part) && (!str_to_u64(part, month) || *month < 1 || *month > 12))
        return false;
    if (str_next(&left, '-', &part) && (!str_to_u64(part, day) || *day < 1 || *day > 31))
        return false;
    return true;
}

str ui_date(struct ctx *cx, str fhir_date)
{
    uint64_t year, month, day;
    if (!date_parts(fhir_date, &year, &month, &day))
        return S("Not known");
    if (day)
        return arena_printf(cx->arena, "%02d-%s-%04d", (int)day, months[month - 1], (int)year);
    if (month)
        return arena_printf(cx->arena, "%s %04d", months[month - 1], (int)year);
    return arena_printf(cx->arena, "%04d", (int)year);
}

int ui_age_years(str fhir_date, int64_t now_ms)
{
    uint64_t year, month, day;
    if (!date_parts(fhir_date, &year, &month, &day))
        return -1;
    struct clock_civil now = local_civil(now_ms);
    int years = now.year - (int)year;
    bool before = now.month < (int)month || (now.month == (int)month && now.day < (int)day);
    years -= before ? 1 : 0;
    return years < 0 ? -1 : years;
}

str ui_nhs_number(struct ctx *cx, str digits)
{
    if (digits.n != 10)
        return digits;
    return arena_printf(cx->arena, "%.3s %.3s %.4s", digits.p, digits.p + 3, digits.p + 6);
}

str ui_count(struct ctx *cx, uint64_t count)
{
    if (count < 1000)
        return arena_printf(cx->arena, "%d", (int)count);
    str head = ui_count(cx, count / 1000);
    return arena_printf(cx->arena, "%.*s,%03d", STR_ARG(head), (int)(count % 1000));
}

/* ---- day and night ---- */

static err theme_set(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    TRY(sign_in_own_form(request));
    const char *theme = theme_of(http_query_value(cx->arena, request->body, S("theme")));
    http_put_header(response, S("Set-Cookie"),
                    arena_printf(cx->arena, "theme=%s; Path=/; Max-Age=31536000; SameSite=Lax; "
                                            "HttpOnly", theme));
    http_put_header(response, S("Location"),
                    sign_in_next(http_query_value(cx->arena, request->body, S("path"))));
    response->status = 303;
    return ERR_OK;
}

const struct route ui_routes[] = {
    { "GET", "/assets/{rest*}", "open", ui_asset_get, "Styles, scripts and pictures", 0 },
    { "POST", "/ui/theme", "open", theme_set, "Chooses day, night or the machine's own", 0 },
    { 0 },
};
