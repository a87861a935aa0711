/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/home.h"
#include "assets.h"
#include "auth/gate.h"
#include "store/store.h"
#include "ui_home.html.h"
#include "ui_page.html.h"

static ui_home_fill *const *home_fills;
static size_t home_fills_count;

void ui_home_set(ui_home_fill *const *fills, size_t count)
{
    home_fills = fills;
    home_fills_count = count;
}

struct ui_home_card *ui_home_add(struct ui_home *home, const char *id, const char *title,
                                 const char *empty)
{
    struct ui_home_card *card = &home->cards[home->cards_count < UI_HOME_CARDS
                                                 ? home->cards_count++ : UI_HOME_CARDS - 1];
    *card = (struct ui_home_card){ .id = id, .title = title, .empty = empty };
    return card;
}

struct ui_home_line *ui_home_line(struct ui_home_card *card)
{
    card->of_count++;
    return card->lines_count < UI_HOME_LINES ? &card->lines[card->lines_count++] : NULL;
}

str ui_home_areas(const struct ui_home *home)
{
    const struct user *user = home->request->cx->user;
    return user ? user->person.areas : S("");
}

/* What one system cannot read is its own card's fault, not the page's. */
static void fill(struct ui_home *home)
{
    struct ctx *cx = home->request->cx;
    for (size_t i = 0; i < home_fills_count; i++) {
        size_t cards = home->cards_count;
        if (home_fills[i](home) != ERR_OK) {
            if (home->cards_count == cards)
                ui_home_add(home, "failed", "Something is missing here", "");
            home->cards[home->cards_count - 1].failed = true;
        }
        cx->issues.count = cx->issues.kept = 0;
    }
}

err ui_home_show(struct http_request *request, struct http_response *response)
{
    static const char *const islands[] = { ASSET_KEYS_JS };
    struct ctx *cx = request->cx;
    struct ui_page page = ui_page_for(request, S("Your work"));
    struct ui_home *home = arena_zero(cx->arena, sizeof *home);
    *home = (struct ui_home){ .request = request, .page = &page, .seq = store_seq(request->store),
                              .links = page.nav, .links_count = page.nav_count,
                              .role = str_of(cx->user->asker.role->title) };
    page.islands = islands;
    page.islands_count = COUNT(islands);
    TRY(store_reader(cx, request->store));
    fill(home);
    struct buf out = ui_page_buf(request);
    ui_page_open(&out, &page);
    ui_home_body(&out, home);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}
