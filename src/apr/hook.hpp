// SPDX-License-Identifier: Apache-2.0
// The exception wall: httpd is C, and nothing may throw through it. Whatever httpd calls - hooks, filters, directives,
// optional functions, providers, pool cleanups, threads - is made by `hook`, which catches everything, says one line
// with the reason, and gives the answer that loses only this connection, request or start. tools/house_rules.py checks
// that httpd gets nothing else.
#pragma once

#include <concepts>
#include <exception>
#include <string_view>
#include <type_traits>
#include <utility>

#include "apr/httpd.hpp"

namespace tls::apr {

// What a failure belongs to, for its log line; httpd's own server where nothing is nearer.
struct Place {
  const request_rec* r = nullptr;
  conn_rec* c = nullptr;
  const server_rec* s = nullptr;

  void take(const request_rec* request) noexcept { r = request; }
  void take(conn_rec* connection) noexcept { c = connection; }
  void take(const ap_filter_t* filter) noexcept { c = filter->c; }
  void take(const server_rec* server) noexcept { s = server; }
  void take(...) noexcept {}
};

// Logs what reached the wall in `function`. Any thread.
void log_lost(const Place& place, std::string_view function, const char* why) noexcept;

// Told of each, where somebody counts them.
inline void (*lost_counter)() = nullptr;

// The name of a function that is known at compile time, without its namespaces.
template <auto Function>
consteval std::string_view name_of() {
  std::string_view text = __PRETTY_FUNCTION__;
  text.remove_prefix(text.find("Function = ") + 11);
  text = text.substr(0, text.find_first_of(";]<"));
  return text.substr(text.rfind(':') + 1);
}

// A failure without an answer.
struct Nothing {};

template <auto Function, auto Failure>
struct Hook;

template <class R, class... Args, R (*Function)(Args...), auto Failure>
struct Hook<Function, Failure> {
  // A failure is a value, or a function that is told why and of what, for those that have to leave something behind.
  static constexpr bool speaks = requires { Failure("", std::declval<Args>()...); };

  static R call(Args... args) noexcept {
    try {
      return Function(args...);
    } catch (const std::exception& e) {
      return failed(e.what(), args...);
    } catch (...) {
      return failed("unknown exception", args...);
    }
  }

 private:
  static R failed(const char* why, Args... args) noexcept {
    if constexpr (speaks) {
      return Failure(why, args...);
    } else {
      Place place;
      (place.take(args), ...);
      log_lost(place, name_of<Function>(), why);
      if constexpr (!std::is_void_v<R>) return static_cast<R>(Failure);
    }
  }
};

// A function as httpd may have it. `Failure` is what httpd is told when something throws, or a noexcept function of
// the reason and the arguments that logs, leaves things in order and gives the answer.
template <auto Function, auto Failure = Nothing{}>
inline constexpr auto hook = &Hook<Function, Failure>::call;

// Runs `body`, which the caller can do without; an exception is logged once and becomes `fallback`.
template <class R, class Body>
R guarded(R fallback, Body&& body) noexcept {
  try {
    return std::forward<Body>(body)();
  } catch (const std::exception& e) {
    log_lost({}, "what can be left out", e.what());
  } catch (...) {
    log_lost({}, "what can be left out", "unknown exception");
  }
  return fallback;
}

}  // namespace tls::apr
