// SPDX-License-Identifier: Apache-2.0
// As libraries do that have a thread or an arena in each process: maps memory at each fork, before the handlers of what is
// loaded later, and writes to it when the process makes its first thread.
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

enum { PIECES = 256, PIECE = 4096 };

static void* pieces[PIECES];

static void in_child(void) {
  for (int i = 0; i < PIECES; ++i) {
    pieces[i] = mmap(NULL, PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  }
}

__attribute__((constructor)) static void loaded(void) { pthread_atfork(NULL, NULL, in_child); }

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*), void* argument) {
  static int (*next)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  if (!next) {
    next = (int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*))dlsym(RTLD_NEXT, "pthread_create");
    for (int i = 0; i < PIECES && pieces[i] && pieces[i] != MAP_FAILED; ++i) {
      memset(pieces[i], 1, PIECE);
    }
  }
  return next(thread, attributes, start, argument);
}
