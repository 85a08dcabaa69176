// SPDX-License-Identifier: Apache-2.0
// What the filters call of httpd. A filter of the program's own (its record's functions) stands for the network.
#include "apr/httpd.hpp"
#include "server/module_config.hpp"

namespace {

module record{};

apr_status_t nothing(apr_bucket*, const char** text, apr_size_t* length, apr_read_type_e) {
  *text = "";
  *length = 0;
  return APR_SUCCESS;
}

ap_filter_t* add(void* context, conn_rec* c, ap_filter_t* next) {
  auto* const filter = static_cast<ap_filter_t*>(apr_pcalloc(c->pool, sizeof(ap_filter_t)));
  filter->ctx = context;
  filter->next = next;
  filter->c = c;
  return filter;
}

}  // namespace

extern "C" {

const apr_bucket_type_t ap_bucket_type_eoc = {"EOC",
                                              5,
                                              apr_bucket_type_t::APR_BUCKET_METADATA,
                                              apr_bucket_destroy_noop,
                                              nothing,
                                              apr_bucket_setaside_noop,
                                              apr_bucket_split_notimpl,
                                              apr_bucket_simple_copy};
const apr_bucket_type_t ap_bucket_type_eor = {"EOR",
                                              5,
                                              apr_bucket_type_t::APR_BUCKET_METADATA,
                                              apr_bucket_destroy_noop,
                                              nothing,
                                              apr_bucket_setaside_noop,
                                              apr_bucket_split_notimpl,
                                              apr_bucket_simple_copy};

ap_filter_t* ap_add_input_filter(const char*, void* context, request_rec*, conn_rec* c) {
  return c->input_filters = add(context, c, c->input_filters);
}

ap_filter_t* ap_add_output_filter(const char*, void* context, request_rec*, conn_rec* c) {
  return c->output_filters = add(context, c, c->output_filters);
}

apr_status_t ap_get_brigade(ap_filter_t* filter, apr_bucket_brigade* bb, ap_input_mode_t mode, apr_read_type_e block,
                            apr_off_t limit) {
  return filter->frec->filter_func.in_func(filter, bb, mode, block, limit);
}

apr_status_t ap_pass_brigade(ap_filter_t* filter, apr_bucket_brigade* bb) {
  return filter->frec->filter_func.out_func(filter, bb);
}

const char* ap_get_protocol(conn_rec*) { return AP_PROTOCOL_HTTP1; }

}  // extern "C"

namespace tls::server {

const module& primary_record() { return record; }

}  // namespace tls::server
