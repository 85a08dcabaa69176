// SPDX-License-Identifier: Apache-2.0
#include "log/limiter.hpp"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

namespace tls::log {
namespace {

// Kinds of failures that are told apart at a time: those of one child in a minute.
struct Slot {
  std::uint8_t kind = 0;
  const void* host = nullptr;
  std::int64_t loud_at = 0;
  std::uint32_t repeated = 0;
};

constexpr std::size_t slot_count = 512;
constexpr std::size_t most_probes = 64;
constexpr std::int64_t quiet_ms = 60'000;

std::array<Slot, slot_count> slots;
// Lines of all ids together.
constinit Budget all{"all", 3 * Budget::full};
// Static, not in the child's pool: workers of a child that is killed may outlive its pools.
pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

class Lock final {
 public:
  Lock() { pthread_mutex_lock(&mutex); }
  ~Lock() { pthread_mutex_unlock(&mutex); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
};

// Milliseconds of a clock that nobody sets.
std::int64_t now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

std::size_t place(std::uint8_t kind, const void* host) {
  const auto address = reinterpret_cast<std::uintptr_t>(host);
  return ((address >> 4U) + kind) * 0x9E3779B97F4A7C15U >> 40U;
}

// Where all places of a kind are taken by others of this minute, it stays quiet: an attacker gains no lines.
Loudness count(std::uint8_t kind, const void* host, std::int64_t now) {
  Slot* free = nullptr;
  for (std::size_t i = 0; i < most_probes; ++i) {
    Slot& slot = slots[(place(kind, host) + i) % slot_count];
    const bool same = slot.kind == kind && slot.host == host && slot.loud_at != 0;
    if (same && now - slot.loud_at < quiet_ms) {
      ++slot.repeated;
      return {false, 0};
    }
    if (same) {
      const std::uint32_t repeated = slot.repeated;
      slot = {kind, host, now, 0};
      return {true, repeated};
    }
    if (free == nullptr && (slot.loud_at == 0 || now - slot.loud_at >= quiet_ms)) free = &slot;
  }
  if (free == nullptr) return {false, 0};
  *free = {kind, host, now, 0};
  return {true, 0};
}

void refill(Budget& budget, std::int64_t full, std::int64_t rate, std::int64_t now) {
  if (budget.counted_at != 0) budget.tokens = std::min(full, budget.tokens + (now - budget.counted_at) * rate);
  budget.counted_at = now;
}

}  // namespace

Loudness count_failure(std::uint8_t kind, const void* host) {
  const Lock lock;
  return count(kind, host, now_ms());
}

Admission take(Budget& budget) {
  const std::int64_t now = now_ms();
  const Lock lock;
  refill(budget, Budget::full, 1, now);
  refill(all, 3 * Budget::full, 3, now);
  if (budget.tokens < Budget::each || all.tokens < Budget::each) {
    if (budget.left_out++ == 0) budget.left_out_since = now;
    return {};
  }
  budget.tokens -= Budget::each;
  all.tokens -= Budget::each;
  const bool due = budget.left_out > 0 && now - budget.left_out_since >= quiet_ms;
  return {true, due ? std::exchange(budget.left_out, 0) : 0};
}

}  // namespace tls::log
