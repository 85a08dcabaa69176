// SPDX-License-Identifier: Apache-2.0
// One setting as written: a value and the place where it stands, or nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace tls::config {

// Where a setting was written. `file` is owned by the configuration pool.
struct Source {
  const char* file = nullptr;
  unsigned line = 0;

  // As messages and lists show it: nothing where no file is known.
  [[nodiscard]] const char* file_or_nothing() const { return file != nullptr ? file : ""; }
  // "FILE:LINE".
  [[nodiscard]] std::string text() const { return file_or_nothing() + (":" + std::to_string(line)); }

  friend bool operator==(const Source&, const Source&) = default;
};

// Memory that lives as long as the configuration which is read into it: a pool of httpd, or the heap in unit tests.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  virtual ~Arena() = default;

  // Keeps `value` until the arena ends and returns where.
  template <class T>
  const T* keep(T value) {
    T* kept = ::new (allocate(sizeof(T))) T(std::move(value));
    if constexpr (!std::is_trivially_destructible_v<T>) {
      defer([](void* object) { static_cast<T*>(object)->~T(); }, kept);
    }
    return kept;
  }

 private:
  // Memory for `size` bytes, aligned for every type.
  virtual void* allocate(std::size_t size) = 0;
  // Calls destroy(object) when the arena ends.
  virtual void defer(void (*destroy)(void*), void* object) = 0;
};

template <class T>
struct Written {
  T value;
  Source where;
};

// An optional value with its source. It is one pointer to a value that never changes, kept in an Arena, so that
// 10,000 virtual hosts share what they inherit and merging two scopes copies pointers.
template <class T>
class Setting {
 public:
  using value_type = T;

  constexpr Setting() noexcept = default;
  constexpr Setting(std::nullopt_t /*none*/) noexcept {}  // NOLINT(google-explicit-constructor): as std::optional

  void write(Arena& arena, T value, Source where) { written_ = arena.keep(Written<T>{std::move(value), where}); }

  [[nodiscard]] constexpr explicit operator bool() const noexcept { return written_ != nullptr; }
  [[nodiscard]] constexpr const T& operator*() const noexcept { return written_->value; }
  [[nodiscard]] constexpr const T* operator->() const noexcept { return &written_->value; }
  [[nodiscard]] constexpr const T* get() const noexcept { return written_ == nullptr ? nullptr : &written_->value; }
  [[nodiscard]] constexpr Source where() const noexcept { return written_ == nullptr ? Source{} : written_->where; }

 private:
  const Written<T>* written_ = nullptr;
};

// Converts to every Setting; counts the members of an aggregate of settings.
struct AnySetting {
  template <class T>
  operator Setting<T>() const;  // NOLINT(google-explicit-constructor): what the count is made of
};

// The number of members of `S`, an aggregate that has nothing but settings.
template <class S, class... Members>
consteval std::size_t member_count() {
  if constexpr (requires { S{std::declval<Members>()..., AnySetting{}}; }) {
    return member_count<S, Members..., AnySetting>();
  } else {
    return sizeof...(Members);
  }
}

}  // namespace tls::config
