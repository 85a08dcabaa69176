// The exception wall: httpd is C, and nothing may throw through it.
#pragma once

#include <exception>
#include <utility>

#include "apr/httpd.hpp"

namespace tls::apr {

// Logs an exception that reached the wall. What it means for the request or start is the caller's fallback.
void log_exception(const char* what) noexcept;

// Runs `body`; an exception is logged once and becomes `fallback`.
template <class R, class Body>
R guarded(R fallback, Body&& body) noexcept {
  try {
    return std::forward<Body>(body)();
  } catch (const std::exception& e) {
    log_exception(e.what());
  } catch (...) {
    log_exception("unknown exception");
  }
  return fallback;
}

}  // namespace tls::apr
