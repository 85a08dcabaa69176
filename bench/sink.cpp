// A handler that reads a request's body and throws it away: over h2 httpd answers a POST to a file without reading the
// body, and every handler that comes with httpd costs more than the transport that is to be measured.
// httpd.h comes first: the others rely on it.
#include <httpd.h>

#include <http_config.h>
#include <http_protocol.h>
#include <util_filter.h>

#include <cstring>

namespace {

constexpr apr_off_t piece = 64 * 1024;

/// Content handler of `SetHandler bench-sink`: answers 204 after the last byte.
int sink(request_rec* r) {
  if (r->handler == nullptr || std::strcmp(r->handler, "bench-sink") != 0) {
    return DECLINED;
  }
  apr_bucket_brigade* bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);
  for (bool more = true; more;) {
    if (ap_get_brigade(r->input_filters, bb, AP_MODE_READBYTES, APR_BLOCK_READ, piece) != APR_SUCCESS) {
      return HTTP_BAD_REQUEST;
    }
    for (apr_bucket* b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb); b = APR_BUCKET_NEXT(b)) {
      more = more && !APR_BUCKET_IS_EOS(b);
    }
    apr_brigade_cleanup(bb);
  }
  r->status = HTTP_NO_CONTENT;
  return OK;
}

void hooks(apr_pool_t*) { ap_hook_handler(sink, nullptr, nullptr, APR_HOOK_MIDDLE); }

}  // namespace

extern "C" {
module AP_MODULE_DECLARE_DATA bench_sink_module = {
    STANDARD20_MODULE_STUFF, nullptr, nullptr, nullptr, nullptr, nullptr, hooks, 0};
}
