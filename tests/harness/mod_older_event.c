// SPDX-License-Identifier: Apache-2.0
/* Makes the event MPM answer as before httpd 2.4.63, which knew no CONN_STATE_ASYNC_WAITIO: whoever asks is told so, and
 * a connection that is handed to the MPM in that state all the same, which the older one would close, ends the process. */
#include <httpd.h>
#include <http_config.h>
#include <ap_mpm.h>
#include <mpm_common.h>
#include <stdlib.h>

enum { CAN_WAITIO = 19, ASYNC_WAITIO = 8 };

static int query(int code, int *result, apr_status_t *status)
{
    (void)result;
    if (code != CAN_WAITIO) {
        return DECLINED;
    }
    *status = APR_ENOTIMPL;
    return OK;
}

static void suspended(conn_rec *c, request_rec *r)
{
    (void)r;
    if (c->cs != NULL && (int)c->cs->state == ASYNC_WAITIO) {
        abort();
    }
}

static void hooks(apr_pool_t *pool)
{
    (void)pool;
    ap_hook_mpm_query(query, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_suspend_connection(suspended, NULL, NULL, APR_HOOK_REALLY_FIRST);
}

AP_DECLARE_MODULE(older_event) = {STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, hooks, 0};
