// SPDX-License-Identifier: Apache-2.0
/* No more descriptors in one process of a server, where nobody may set the limits of others: what makes a descriptor fails
 * there with EMFILE. The test maps the file that EXHAUST names; the layout is that of exhaust.py. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

struct shared {
  int pid;   /* whom it is about; 0: nobody */
  int times; /* how often something failed */
};

static volatile struct shared* shared;
static pid_t own;

static void forked(void) { own = getpid(); }

__attribute__((constructor)) static void attach(void) {
  const char* path = getenv("EXHAUST");
  int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
  if (fd < 0) return;
  void* memory = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  own = getpid();
  pthread_atfork(NULL, NULL, forked);
  if (memory != MAP_FAILED) shared = memory;
}

static int fails(void) {
  if (shared == NULL || shared->pid == 0 || shared->pid != own) return 0;
  shared->times++;
  errno = EMFILE;
  return 1;
}

#define REAL(name, type) ((type)dlsym(RTLD_NEXT, #name))

int accept(int fd, struct sockaddr* address, socklen_t* length) {
  return fails() ? -1 : REAL(accept, int (*)(int, struct sockaddr*, socklen_t*))(fd, address, length);
}
int accept4(int fd, struct sockaddr* address, socklen_t* length, int flags) {
  return fails() ? -1 : REAL(accept4, int (*)(int, struct sockaddr*, socklen_t*, int))(fd, address, length, flags);
}
int socket(int domain, int type, int protocol) {
  return fails() ? -1 : REAL(socket, int (*)(int, int, int))(domain, type, protocol);
}
int pipe2(int fds[2], int flags) { return fails() ? -1 : REAL(pipe2, int (*)(int*, int))(fds, flags); }
int dup(int fd) { return fails() ? -1 : REAL(dup, int (*)(int))(fd); }

#define OPENS(name)                                                          \
  int name(const char* path, int flags, ...) {                               \
    va_list more;                                                            \
    va_start(more, flags);                                                   \
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(more, mode_t) : 0; \
    va_end(more);                                                            \
    return fails() ? -1 : REAL(name, int (*)(const char*, int, ...))(path, flags, mode); \
  }
OPENS(open)
OPENS(open64)
