// SPDX-License-Identifier: Apache-2.0
// Faults on demand, in builds with TLS_INJECT alone: an allocation of the module, a call over the bridge to Rust, or a
// call of ours into APR, httpd or the system fails where a test wants it to. The test maps the file that the
// environment variable MOD_TLS_INJECT names; the layout is that of tests/harness/inject.py. Linux on x86-64.
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

namespace {

enum Kind : std::uint32_t { Allocation = 1, Bridge = 2, Call = 4 };
enum Mode : std::uint32_t { Off = 0, Record = 1, Fail = 2 };

// A place in the code: where the call stands, and the callers of ours above it.
struct Site {
  std::atomic<std::uint64_t> id;
  std::atomic<std::uint32_t> kind;
  char name[52];
};

constexpr std::size_t site_count = 8192;

struct Shared {
  std::atomic<std::uint32_t> mode;
  std::atomic<std::uint32_t> kinds;
  std::atomic<std::uint64_t> target;
  std::atomic<std::uint32_t> left;  // how often it is still to fail
  std::atomic<std::uint32_t> fired;
  Site sites[site_count];
};

Shared* shared = nullptr;
std::uintptr_t text_begin = 0;
std::uintptr_t text_end = 0;

int find_text(dl_phdr_info* info, std::size_t, void*) {
  const auto here = reinterpret_cast<std::uintptr_t>(&find_text);
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& header = info->dlpi_phdr[i];
    const std::uintptr_t begin = info->dlpi_addr + header.p_vaddr;
    if (header.p_type != PT_LOAD || here < begin || here >= begin + header.p_memsz) continue;
    text_begin = begin;
    text_end = begin + header.p_memsz;
    return 1;
  }
  return 0;
}

// A hash of the return addresses above, as far as they are in this object; it is the same in every process.
std::uint64_t site_of(const char* name) {
  constexpr int depth = 16;  // the containers of the standard library take several
  std::uint64_t hash = 14'695'981'039'346'656'037U;
  const auto mix = [&hash](std::uint64_t value) { hash = (hash ^ value) * 1'099'511'628'211U; };
  for (const char* c = name; *c != '\0'; ++c) mix(static_cast<unsigned char>(*c));
  auto* frame = static_cast<std::uintptr_t*>(__builtin_frame_address(0));
  for (int i = 0; i < depth; ++i) {
    auto* const above = reinterpret_cast<std::uintptr_t*>(frame[0]);
    const std::uintptr_t back = frame[1];
    if (back < text_begin || back >= text_end) break;
    mix(back - text_begin);
    if (above <= frame || above > frame + 4096) break;
    frame = above;
  }
  return hash != 0 ? hash : 1;
}

void record(std::uint64_t id, std::uint32_t kind, const char* name) {
  for (std::size_t i = 0; i < site_count; ++i) {
    Site& site = shared->sites[(id + i) % site_count];
    std::uint64_t expected = 0;
    if (site.id.load() == id) return;
    if (!site.id.compare_exchange_strong(expected, id)) continue;
    site.kind = kind;
    std::strncpy(site.name, name, sizeof site.name - 1);
    return;
  }
}

// Whether this is to fail now.
bool point(std::uint32_t kind, const char* name) {
  if (shared == nullptr) return false;
  const std::uint32_t mode = shared->mode.load(std::memory_order_relaxed);
  if (mode == Off || (shared->kinds.load(std::memory_order_relaxed) & kind) == 0) return false;
  const std::uint64_t id = site_of(name);
  if (mode == Record) {
    record(id, kind, name);
    return false;
  }
  if (id != shared->target.load()) return false;
  std::uint32_t left = shared->left.load();
  while (left > 0) {
    if (shared->left.compare_exchange_weak(left, left - 1)) {
      ++shared->fired;
      return true;
    }
  }
  return false;
}

}  // namespace

extern "C" {
// rust/bridge/src/inject.rs
void tls_inject_bridge(bool (*hook)(const char* place));

__attribute__((visibility("hidden"), used)) bool tls_inject_call(const char* name) { return point(Call, name); }
}

namespace {

bool bridge_point(const char* place) { return point(Bridge, place); }

__attribute__((constructor)) void attach() {
  const char* const path = std::getenv("MOD_TLS_INJECT");
  if (path == nullptr) return;
  const int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void* const memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (memory == MAP_FAILED) return;
  dl_iterate_phdr(find_text, nullptr);
  shared = static_cast<Shared*>(memory);
  tls_inject_bridge(bridge_point);
}

void* allocate(std::size_t size) {
  if (point(Allocation, "operator new")) throw std::bad_alloc();
  void* const memory = std::malloc(size != 0 ? size : 1);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t /*size*/) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t /*size*/) noexcept { std::free(memory); }

// The linker leads calls of NAME to __wrap_NAME (cmake/inject.cmake has the list): it asks, and either answers with a
// value that says failure or goes on to the function as if nothing had been, whatever its arguments are.
#define TLS_INJECT_CALL(name, value)                                                                                  \
  __asm__(".text\n.globl __wrap_" #name "\n.hidden __wrap_" #name "\n.type __wrap_" #name ",@function\n__wrap_" #name \
          ":\n"                                                                                                       \
          "endbr64\npush %rbp\nmov %rsp, %rbp\n"                                                                      \
          "push %rdi\npush %rsi\npush %rdx\npush %rcx\npush %r8\npush %r9\n"                                          \
          "push %rax\nsub $8, %rsp\n"                                                                                 \
          "lea 9f(%rip), %rdi\ncall tls_inject_call\nmovzbl %al, %r11d\n"                                             \
          "add $8, %rsp\npop %rax\npop %r9\npop %r8\npop %rcx\npop %rdx\n"                                            \
          "pop %rsi\npop %rdi\npop %rbp\ntest %r11d, %r11d\njne 8f\n"                                                 \
          "jmp __real_" #name "@PLT\n8: mov $" #value ", %rax\nret\n.size __wrap_" #name ", .-__wrap_" #name          \
          "\n.section .rodata\n9: .string \"" #name "\"\n.text\n");
#include "inject/calls.def"
#undef TLS_INJECT_CALL
