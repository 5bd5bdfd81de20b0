// In C because a signal handler may call few functions, and Swift does not tell which it calls.
#define _GNU_SOURCE
#include "include/MappingGuard.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum { places = 64, longest = 1024, inputOutputError = 74 };

// An entry is in use while `start` is not 0; its other fields are written first.
static struct {
    _Atomic uintptr_t start;
    size_t length;
    char path[longest];
} table[places];

static pthread_mutex_t changes = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction before;
static _Bool isInstalled;
static atomic_flag isEnding = ATOMIC_FLAG_INIT;

static char *append(char *end, const char *limit, const char *text) {
    // A line break in a path would make a second line.
    for (; *text != 0 && end < limit; text++) *end++ = (unsigned char)*text < 0x20 ? '?' : *text;
    return end;
}

static void end_with(const char *path) {
    static char line[longest + 256];
    // If several threads meet the fault at once, one reports it.
    if (atomic_flag_test_and_set(&isEnding)) for (;;) pause();
    const char *limit = line + sizeof line - 1;
    char *end = append(line, limit, "denoiser: ");
    end = append(end, limit, path);
    end = append(
        end, limit,
        ": mapped, and cannot be read any more: it was cut short in place, or its storage fails; "
        "ending (put a new file in its place by renaming)");
    *end++ = '\n';
    // The reader of standard error may hang.
    struct pollfd target = {.fd = 2, .events = POLLOUT};
    if (poll(&target, 1, 200) == 1 && write(2, line, (size_t)(end - line)) < 0)
        _exit(inputOutputError);
    _exit(inputOutputError);
}

static void on_fault(int number, siginfo_t *info, void *context) {
    (void)context;
    // A code of 0 or below means that a process sent the signal.
    if (info->si_code > 0) {
        const uintptr_t address = (uintptr_t)info->si_addr;
        for (int i = 0; i < places; i++) {
            const uintptr_t start = atomic_load_explicit(&table[i].start, memory_order_acquire);
            if (start != 0 && address - start < table[i].length) end_with(table[i].path);
        }
    }
    // As without this handler: the instruction faults again, or the signal is sent again.
    sigaction(number, &before, NULL);
    if (info->si_code <= 0) raise(number);
}

void system_guard_mapping(const void *start, size_t length, const char *path) {
    if (strlen(path) >= longest) return;
    pthread_mutex_lock(&changes);
    if (!isInstalled) {
        struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
        sigemptyset(&action.sa_mask);
        isInstalled = sigaction(SIGBUS, &action, &before) == 0;
    }
    for (int i = 0; i < places; i++) {
        if (atomic_load_explicit(&table[i].start, memory_order_relaxed) != 0) continue;
        table[i].length = length;
        strcpy(table[i].path, path);
        atomic_store_explicit(&table[i].start, (uintptr_t)start, memory_order_release);
        break;
    }
    pthread_mutex_unlock(&changes);
}

void system_forget_mapping(const void *start) {
    pthread_mutex_lock(&changes);
    for (int i = 0; i < places; i++) {
        if (atomic_load_explicit(&table[i].start, memory_order_relaxed) == (uintptr_t)start) {
            atomic_store_explicit(&table[i].start, 0, memory_order_release);
            break;
        }
    }
    pthread_mutex_unlock(&changes);
}
