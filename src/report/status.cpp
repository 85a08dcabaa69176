// SPDX-License-Identifier: Apache-2.0
#include "report/status.hpp"

#include <apr_optional_hooks.h>
#include <mod_status.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "apr/hook.hpp"
#include "server/metrics.hpp"

namespace tls::report {
namespace {

using server::StatusForm;

struct Form {
  std::string_view name;  // of ?format=
  StatusForm form;
  const char* type;
};

constexpr Form forms[] = {
    {"html", StatusForm::Page, "text/html; charset=utf-8"},
    {"json", StatusForm::Json, "application/json"},
    {"prometheus", StatusForm::Prometheus, "text/plain; version=0.0.4; charset=utf-8"},
};

// The value of `name` in the query string; nothing where it is not there.
std::optional<std::string_view> asked(const request_rec* r, std::string_view name) {
  std::string_view rest = r->args != nullptr ? r->args : "";
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    if (pair.starts_with(name) && pair.substr(name.size()).starts_with('=')) return pair.substr(name.size() + 1);
  }
  return std::nullopt;
}

std::uint32_t refresh_of(const request_rec* r) {
  const std::string_view text = asked(r, "refresh").value_or("");
  std::uint32_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  constexpr std::uint32_t longest = 86'400;
  return error == std::errc() && end == text.data() + text.size() ? std::min(seconds, longest) : 0;
}

// Who may see it is httpd's business (Require), which has been asked before.
int handle(request_rec* r) {
  if (r->handler == nullptr || std::strcmp(r->handler, "tls-status") != 0) return DECLINED;
  r->allowed |= AP_METHOD_BIT << M_GET;
  if (r->method_number != M_GET) return HTTP_METHOD_NOT_ALLOWED;
  const std::string_view name = asked(r, "format").value_or("html");
  const auto* const form = std::ranges::find(forms, name, &Form::name);
  if (form == std::end(forms)) return HTTP_BAD_REQUEST;
  const std::string text = server::status(r->connection, form->form, refresh_of(r));
  if (text.empty()) return HTTP_SERVICE_UNAVAILABLE;
  ap_set_content_type(r, form->type);
  ap_set_content_length(r, static_cast<apr_off_t>(text.size()));
  apr_table_setn(r->headers_out, "Cache-Control", "no-store");
  apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
  // The page has its style in itself, and nothing else.
  apr_table_setn(r->headers_out, "Content-Security-Policy",
                 "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'");
  if (r->header_only == 0) ap_rwrite(text.data(), static_cast<int>(text.size()), r);
  return OK;
}

// mod_status calls it while it writes its page.
int add_to_status(request_rec* r, int flags) {
  const bool lines = (flags & AP_STATUS_SHORT) != 0;
  const std::string text = server::status(r->connection, lines ? StatusForm::Lines : StatusForm::Block, 0);
  if (!text.empty()) ap_rwrite(text.data(), static_cast<int>(text.size()), r);
  return OK;
}

}  // namespace

void register_status_hooks() {
  ap_hook_handler(apr::hook<handle, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr, APR_HOOK_MIDDLE);
  constexpr auto block = apr::hook<add_to_status, OK>;
  APR_OPTIONAL_HOOK(ap, status_hook, block, nullptr, nullptr, APR_HOOK_MIDDLE);
}

}  // namespace tls::report
