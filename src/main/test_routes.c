/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE routes
#include "base/map.h"
#include "base/test.h"
#include "main/serve.h"
#include "module/module.h"

static void check_route(struct ctx *cx, struct map *seen, const struct route *route)
{
    str name = arena_printf(cx->arena, "%s %s", route->method, route->pattern);
    EXPECT(name.p, route->permission && *route->permission);
    EXPECT(name.p, route->doc && *route->doc);
    EXPECT(name.p, route->handler != NULL);
    EXPECT(name.p, route->pattern[0] == '/');
    EXPECT(name.p, map_add(seen, name, 1, NULL));
}

/* Of the program and of every system: who may use it and what it is for is always said. */
TEST(every_route_has_a_permission_a_sentence_and_stands_once)
{
    const struct route *const *tables = serve_tables(cx->arena);
    struct map seen = map_make(cx->arena);
    for (size_t i = 0; tables[i]; i++)
        for (const struct route *route = tables[i]; route->pattern; route++)
            check_route(cx, &seen, route);
    EXPECT("there are many", seen.count > 100);
}

TEST(every_system_says_what_it_is)
{
    struct map seen = map_make(cx->arena);
    for (size_t i = 0; modules[i]; i++) {
        const struct module *module = modules[i];
        EXPECT("name", module->name && *module->name);
        EXPECT(module->name, module->title && *module->title);
        EXPECT(module->name, map_add(&seen, str_of(module->name), 1, NULL));
        for (const struct route *route = module->routes; route && route->pattern; route++) {
            str permission = str_of(route->permission);
            str own = arena_printf(cx->arena, "%s.", module->name);
            EXPECT(route->pattern, str_starts(permission, own) ||
                                       str_starts(permission, S("records.")) ||
                                       str_eq(permission, S("signed-in")) ||
                                       str_eq(permission, S("open")));
        }
    }
}
