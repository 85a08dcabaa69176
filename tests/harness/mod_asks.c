// SPDX-License-Identifier: Apache-2.0
/* A module as third parties write them: asks for variables by the optional functions of mod_ssl.h. */
#include <httpd.h>
#include <http_config.h>
#include <http_protocol.h>
#include <http_ssl.h>
#include <apr_optional.h>
#include <apr_strings.h>

APR_DECLARE_OPTIONAL_FN(char *, ssl_var_lookup,
                        (apr_pool_t *, server_rec *, conn_rec *, request_rec *, char *));
APR_DECLARE_OPTIONAL_FN(apr_array_header_t *, ssl_ext_list, (apr_pool_t *, conn_rec *, int, const char *));
APR_DECLARE_OPTIONAL_FN(int, ssl_is_https, (conn_rec *));

static APR_OPTIONAL_FN_TYPE(ssl_var_lookup) *lookup;
static APR_OPTIONAL_FN_TYPE(ssl_ext_list) *extensions;
static APR_OPTIONAL_FN_TYPE(ssl_is_https) *is_https;

static void retrieve(void)
{
    lookup = APR_RETRIEVE_OPTIONAL_FN(ssl_var_lookup);
    extensions = APR_RETRIEVE_OPTIONAL_FN(ssl_ext_list);
    is_https = APR_RETRIEVE_OPTIONAL_FN(ssl_is_https);
}

static const char *value_of(request_rec *r, char *name)
{
    if (*name == '@') {
        return lookup(r->pool, r->server, r->connection, NULL, name + 1);
    }
    if (*name == '~') {
        return ap_ssl_var_lookup(r->pool, r->server, r->connection, r, name + 1);
    }
    return lookup(r->pool, r->server, r->connection, r, name);
}

/* All variables that the query names, joined by commas. */
static const char *asked(request_rec *r)
{
    const char *all = "";
    char *rest, *name;

    for (name = apr_strtok(apr_pstrdup(r->pool, r->args ? r->args : ""), "&", &rest); name != NULL;
         name = apr_strtok(NULL, "&", &rest)) {
        if (!strchr(name, '.')) {
            const char *value = value_of(r, name);

            all = apr_pstrcat(r->pool, all, *all ? ",=" : "=", value != NULL ? value : "(null)", NULL);
        }
    }
    return all;
}

/* The query is a list of names; one with a dot is an extension of the client's certificate, after "!" of the server's.
 * "@" before a name asks of the connection and names no request, "~" goes by httpd's own function. The values also stand
 * in the header X-Asked. */
static int answer(request_rec *r)
{
    char *rest, *name;

    if (strcmp(r->handler, "asks")) {
        return DECLINED;
    }
    apr_table_setn(r->headers_out, "X-Asked", asked(r));
    ap_rprintf(r, "is_https=%d\n", is_https != NULL && is_https(r->connection));
    for (name = apr_strtok(apr_pstrdup(r->pool, r->args ? r->args : ""), "&", &rest); name != NULL;
         name = apr_strtok(NULL, "&", &rest)) {
        if (strchr(name, '.')) {
            const int peer = *name != '!';
            apr_array_header_t *list = extensions(r->pool, r->connection, peer, name + !peer);
            int i;

            ap_rprintf(r, "%s=", name);
            for (i = 0; list != NULL && i < list->nelts; i++) {
                ap_rprintf(r, "[%s]", APR_ARRAY_IDX(list, i, const char *));
            }
            ap_rputs("\n", r);
        }
        else {
            const char *value = value_of(r, name);

            ap_rprintf(r, "%s=%s\n", name, value != NULL ? value : "(null)");
        }
    }
    return OK;
}

static void hooks(apr_pool_t *pool)
{
    ap_hook_optional_fn_retrieve(retrieve, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(answer, NULL, NULL, APR_HOOK_MIDDLE);
}

AP_DECLARE_MODULE(asks) = {STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, hooks, 0};
