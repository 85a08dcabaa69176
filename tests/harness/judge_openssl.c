// SPDX-License-Identifier: Apache-2.0
// Judges worlds of certificates and revocation lists as mod_ssl has OpenSSL do in a handshake; reads and writes what
// rust/core/examples/judge.rs does. Functions of libcrypto are declared here, for its headers need not be installed.
//
// As mod_ssl: trusted certificates and lists are in one store whose flags say how far lists are looked at; the callback ends
// the judgement at its first error, and counts SSLVerifyDepth. As libssl: the parameters for clients (ssl_client), its
// level of security, and a certificate with octets behind it is none.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct any any;

extern any *X509_STORE_new(void);
extern void X509_STORE_free(any *);
extern int X509_STORE_add_cert(any *, any *);
extern int X509_STORE_add_crl(any *, any *);
extern int X509_STORE_set_flags(any *, unsigned long);
extern any *X509_STORE_CTX_new(void);
extern void X509_STORE_CTX_free(any *);
extern int X509_STORE_CTX_init(any *, any *, any *, any *);
extern int X509_STORE_CTX_set_default(any *, const char *);
extern void X509_STORE_CTX_set_verify_cb(any *, int (*)(int, any *));
extern any *X509_STORE_CTX_get0_param(any *);
extern int X509_STORE_CTX_get_error(any *);
extern int X509_STORE_CTX_get_error_depth(any *);
extern void X509_STORE_CTX_set_error(any *, int);
extern void X509_VERIFY_PARAM_set_auth_level(any *, int);
extern void X509_VERIFY_PARAM_set_time(any *, time_t);
extern int X509_verify_cert(any *);
extern const char *X509_verify_cert_error_string(long);
extern any *X509_get0_pubkey(any *);
extern any *d2i_X509(any **, const unsigned char **, long);
extern any *d2i_X509_CRL(any **, const unsigned char **, long);
extern void X509_free(any *);
extern void X509_CRL_free(any *);
extern any *OPENSSL_sk_new_null(void);
extern int OPENSSL_sk_push(any *, any *);
extern any *OPENSSL_sk_value(any *, int);
extern void OPENSSL_sk_pop_free(any *, void (*)(any *));
extern void ERR_clear_error(void);

enum { LEVEL = 2, TOO_LONG = 22, CRL_CHECK = 0x4, CRL_CHECK_ALL = 0x8, MOST = 64, NOT_READ = -1 };

static int depth;

static int callback(int ok, any *context) {
  if (X509_STORE_CTX_get_error_depth(context) > depth) {
    X509_STORE_CTX_set_error(context, TOO_LONG);
    return 0;
  }
  return ok;
}

struct part {
  unsigned char *der;
  long length;
};

struct world {
  int flags;
  int trusted_count, sent_count, lists_count;
  struct part trusted[MOST], sent[MOST], lists[MOST];
};

static int digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

// In place: the octets are shorter than their digits.
static struct part decode(char *digits) {
  struct part part = {(unsigned char *)digits, (long)(strlen(digits) / 2)};
  for (long i = 0; i < part.length; ++i) {
    part.der[i] = (unsigned char)(digit(digits[2 * i]) << 4 | digit(digits[2 * i + 1]));
  }
  return part;
}

static void put(struct part *parts, int *count, char *digits) {
  if (*count == MOST) {
    abort();
  }
  parts[(*count)++] = decode(digits);
}

static void read_world(char *line, struct world *world) {
  memset(world, 0, sizeof *world);
  for (char *word = strtok(line, " \n"); word; word = strtok(NULL, " \n")) {
    if (strncmp(word, "a:", 2) == 0) {
      put(world->trusted, &world->trusted_count, word + 2);
    } else if (strncmp(word, "c:", 2) == 0) {
      put(world->sent, &world->sent_count, word + 2);
    } else if (strncmp(word, "l:", 2) == 0) {
      put(world->lists, &world->lists_count, word + 2);
    } else if (strcmp(word, "leaf") == 0) {
      world->flags = CRL_CHECK;
    } else if (strcmp(word, "chain") == 0) {
      world->flags = CRL_CHECK | CRL_CHECK_ALL;
    } else if (strcmp(word, "none") != 0) {
      abort();
    }
  }
}

// What mod_ssl reads at its start; a list that it cannot read stops it, which is told by what is returned.
static int fill(any *store, const struct world *world) {
  int good = 1;
  for (int i = 0; i < world->trusted_count; ++i) {
    const unsigned char *at = world->trusted[i].der;
    any *certificate = d2i_X509(NULL, &at, world->trusted[i].length);
    if (certificate) {
      X509_STORE_add_cert(store, certificate);
    }
    X509_free(certificate);
  }
  for (int i = 0; i < world->lists_count; ++i) {
    const unsigned char *at = world->lists[i].der;
    any *list = d2i_X509_CRL(NULL, &at, world->lists[i].length);
    good = good && list && at == world->lists[i].der + world->lists[i].length;
    if (list) {
      X509_STORE_add_crl(store, list);
    }
    X509_CRL_free(list);
  }
  X509_STORE_set_flags(store, (unsigned long)world->flags);
  ERR_clear_error();
  return good;
}

// The number of the first error, 0 for none.
static int judge(any *store, const struct world *world, time_t now) {
  any *chain = OPENSSL_sk_new_null();
  int error = world->sent_count ? 0 : NOT_READ;
  for (int i = 0; i < world->sent_count && error == 0; ++i) {
    const unsigned char *at = world->sent[i].der;
    any *certificate = d2i_X509(NULL, &at, world->sent[i].length);
    if (!certificate || at != world->sent[i].der + world->sent[i].length) {
      error = NOT_READ;
      X509_free(certificate);
    } else {
      OPENSSL_sk_push(chain, certificate);
    }
  }
  if (error == 0) {
    any *context = X509_STORE_CTX_new();
    any *leaf = OPENSSL_sk_value(chain, 0);
    X509_STORE_CTX_init(context, store, leaf, chain);
    any *parameters = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_auth_level(parameters, LEVEL);
    X509_STORE_CTX_set_default(context, "ssl_client");
    X509_VERIFY_PARAM_set_time(parameters, now);
    X509_STORE_CTX_set_verify_cb(context, callback);
    if (X509_verify_cert(context) <= 0) {
      error = X509_STORE_CTX_get_error(context);
      error = error ? error : 1;
    } else if (!X509_get0_pubkey(leaf)) {
      error = NOT_READ;
    }
    X509_STORE_CTX_free(context);
  }
  OPENSSL_sk_pop_free(chain, X509_free);
  ERR_clear_error();
  return error;
}

static long long processor_time(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int main(int count, char **words) {
  if (count != 4) {
    fprintf(stderr, "usage: judge_openssl NOW DEPTH REPETITIONS < worlds\n");
    return 2;
  }
  time_t now = atoll(words[1]);
  depth = atoi(words[2]);
  int repetitions = atoi(words[3]);
  static struct world world;
  char *line = NULL;
  size_t size = 0;
  while (getline(&line, &size, stdin) > 0) {
    read_world(line, &world);
    long long quickest = 0;
    int error = 0;
    int starts = 1;
    for (int i = 0; i < repetitions; ++i) {
      any *store = X509_STORE_new();
      starts = fill(store, &world);
      long long begun = processor_time();
      error = judge(store, &world, now);
      long long spent = processor_time() - begun;
      quickest = i == 0 || spent < quickest ? spent : quickest;
      X509_STORE_free(store);
    }
    const char *why = !starts ? "does not start" : error == NOT_READ ? "cannot be read" : error ? X509_verify_cert_error_string(error) : "";
    printf("%s %d 0 %lld %s\n", error || !starts ? "out" : "in", error, quickest, why);
  }
  return 0;
}
