// SPDX-License-Identifier: Apache-2.0
/* Tells what mod_reqtimeout has read: under -t, a line for each server, `NAME:PORT timeout maximum rate` of its handshake
 * stage. The structures are those of httpd 2.4's mod_reqtimeout.c, which has no other way to ask. */
#include <httpd.h>
#include <http_config.h>

typedef struct {
    int timeout, max_timeout, min_rate;
    apr_time_t rate_factor;
} stage;

typedef struct {
    stage handshake, header, body;
} limits;

static void tell(apr_pool_t *pool, server_rec *s)
{
    module *reqtimeout = ap_find_linked_module("mod_reqtimeout.c");

    (void)pool;
    for (; s != NULL && reqtimeout != NULL; s = s->next) {
        const limits *read = ap_get_module_config(s->module_config, reqtimeout);

        printf("limits %s %d %d %d\n", s->server_hostname, read->handshake.timeout, read->handshake.max_timeout,
               read->handshake.min_rate);
    }
}

static void hooks(apr_pool_t *pool)
{
    (void)pool;
    ap_hook_test_config(tell, NULL, NULL, APR_HOOK_LAST);
}

module AP_MODULE_DECLARE_DATA limits_module = {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, hooks, 0
};
