/* The calls of a process that concern files below a folder, one of which fails: loaded in front of the C library.

Also what FFmpeg and Pillow read and write by themselves comes through here. Where it is the turn of a call,
- SIGKILL ends the process before it, a write in the middle of it;
- any other signal comes as it returns, as one that came while it ran;
- an error is returned in its place, but for a name that is to be removed: nobody can where a disk does not let it. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[PATH_MAX];
static size_t folder_length;
static long turn = -1, calls;
static int sent, error;

/* From now on count; the call of that number, from 0, gets a signal, or an error where there is none. */
void disk_arm(const char *path, long number, int signal, int failure) {
    folder_length = strlen(strcpy(folder, path));
    turn = number;
    sent = signal;
    error = failure;
    calls = 0;
}

long disk_calls(void) { return calls; }

static int concerns(const char *path) { return folder_length && !strncmp(path, folder, folder_length); }

static int concerns_descriptor(int descriptor) {
    char name[64], path[PATH_MAX];
    ssize_t length;
    if (!folder_length) return 0;
    snprintf(name, sizeof name, "/proc/self/fd/%d", descriptor);
    length = readlink(name, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return concerns(path);
}

static int is_turn(int counted) { return counted && calls++ == turn; }

/* Before a call whose turn it is: whether it fails. */
static int fails(void) {
    if (sent == SIGKILL) kill(getpid(), SIGKILL);
    if (!sent) errno = error;
    return !sent;
}

static void after(void) {
    int kept = errno;
    raise(sent);
    errno = kept;
}

#define AROUND(counted, name, ...)                                          \
    static __typeof__(&name) real;                                          \
    __typeof__(name(__VA_ARGS__)) result;                                   \
    int now = is_turn(counted);                                             \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name);           \
    if (now && fails()) return -1;                                          \
    result = real(__VA_ARGS__);                                             \
    if (now) after();                                                       \
    return result

#define OPEN(name)                                                          \
    int name(const char *path, int flags, ...) {                            \
        va_list rest;                                                       \
        mode_t mode;                                                        \
        va_start(rest, flags);                                              \
        mode = va_arg(rest, mode_t);                                        \
        va_end(rest);                                                       \
        AROUND(concerns(path), name, path, flags, mode);                    \
    }

OPEN(open)
OPEN(open64)

int rename(const char *from, const char *to) { AROUND(concerns(to), rename, from, to); }
int link(const char *from, const char *to) { AROUND(concerns(to), link, from, to); }
int mkdir(const char *path, mode_t mode) { AROUND(concerns(path), mkdir, path, mode); }
int unlink(const char *path) { AROUND(concerns(path) && !error, unlink, path); }
int fsync(int descriptor) { AROUND(concerns_descriptor(descriptor), fsync, descriptor); }
ssize_t read(int descriptor, void *data, size_t size) {
    AROUND(concerns_descriptor(descriptor), read, descriptor, data, size);
}

ssize_t write(int descriptor, const void *data, size_t size) {
    static ssize_t (*half)(int, const void *, size_t);
    int counted = concerns_descriptor(descriptor);
    if (!half) half = (ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    if (counted && calls == turn && sent == SIGKILL && half(descriptor, data, size / 2) < 0) return -1;
    AROUND(counted, write, descriptor, data, size);
}
