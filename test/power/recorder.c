/*
 * Records what a process does to the files below one directory: preloaded (ld.so(8), LD_PRELOAD), it stands between the program and
 * the C library. Linux with glibc.
 *
 *   POWER_ROOT  the directory, without symbolic links in its path
 *   POWER_LOG   the file to append to, which several processes may share one after the other
 *   POWER_SAY   a file: what the process writes there becomes part of the log, at its place among the other records
 *   POWER_KILL  ends the process at once after so many records; 0 or absent: never
 *
 * A record is 32 bytes, little-endian, and data: u32 kind, u32 length of the data, u64 inode, u64 a, u64 b. The kinds are below.
 *
 * Order: a change is made and recorded under one lock, so the log has the order in which they happened. A sync has two records: it covers
 * what stands before the first, and has been acknowledged where the second stands. No sync is really done, as no power fails
 * here; it takes a moment instead, so that others get to work meanwhile, as they do while a disk is busy.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind {
  CREATED = 1,    /* data: path; a new file */
  WRITTEN = 2,    /* data: the bytes; a: offset */
  TRUNCATED = 3,  /* a: the new size, smaller or larger */
  RENAMED = 4,    /* data: old path, 0, new path */
  LINKED = 5,     /* data: new path; a second name of the inode */
  UNLINKED = 6,   /* data: path of a file or directory */
  MADE = 7,       /* data: path; a new directory */
  SYNC_BEGAN = 8, /* a: its number; b: 1 fsync, 2 fdatasync; inode 0: everything */
  SYNC_ENDED = 9, /* a: its number */
  SAID = 10,      /* data */
};

#define MAX_FDS 65536
#define SYNC_NANOSECONDS 200000

/* What a descriptor is: nothing of ours, a file or directory below the root, or POWER_SAY. */
static struct { _Atomic char use; uint64_t inode; dev_t device; } fds[MAX_FDS];
enum { OTHER = 0, BELOW = 1, SAY = 2 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX], say[PATH_MAX];
static size_t root_length;
static int log_fd = -1;
static long until_kill;
static _Atomic uint64_t syncs;

#define REAL(result, name, ...) \
  static result (*real_##name)(__VA_ARGS__); \
  static void find_##name(void) { if (!real_##name) real_##name = dlsym(RTLD_NEXT, #name); }

REAL(int, openat, int, const char *, int, ...)
REAL(int, close, int)
REAL(int, dup, int)
REAL(int, dup2, int, int)
REAL(int, dup3, int, int, int)
REAL(ssize_t, write, int, const void *, size_t)
REAL(ssize_t, pwrite, int, const void *, size_t, off_t)
REAL(ssize_t, writev, int, const struct iovec *, int)
REAL(ssize_t, pwritev, int, const struct iovec *, int, off_t)
REAL(ssize_t, pwritev2, int, const struct iovec *, int, off_t, int)
REAL(int, ftruncate, int, off_t)
REAL(int, truncate, const char *, off_t)
REAL(int, fallocate, int, int, off_t, off_t)
REAL(int, renameat2, int, const char *, int, const char *, unsigned)
REAL(int, linkat, int, const char *, int, const char *, int)
REAL(int, unlinkat, int, const char *, int)
REAL(int, symlinkat, const char *, int, const char *)
REAL(int, mkdirat, int, const char *, mode_t)
REAL(int, fsync, int)
REAL(int, fdatasync, int)
REAL(int, syncfs, int)
REAL(ssize_t, copy_file_range, int, off_t *, int, off_t *, size_t, unsigned)
REAL(ssize_t, sendfile, int, int, off_t *, size_t)
REAL(int, ioctl, int, unsigned long, ...)

static void fail(const char *what) {
  dprintf(2, "recorder: %s: %s\n", what, strerror(errno));
  abort();
}

__attribute__((constructor)) static void start(void) {
  if (log_fd >= 0) return;
  find_openat(); find_close(); find_dup(); find_dup2(); find_dup3(); find_write(); find_pwrite(); find_writev(); find_pwritev();
  find_pwritev2(); find_ftruncate(); find_truncate(); find_fallocate(); find_renameat2(); find_linkat(); find_unlinkat(); find_symlinkat();
  find_mkdirat(); find_fsync(); find_fdatasync(); find_syncfs(); find_copy_file_range(); find_sendfile(); find_ioctl();
  const char *below = getenv("POWER_ROOT"), *log = getenv("POWER_LOG"), *said = getenv("POWER_SAY");
  if (!below || !log || !said) return;
  snprintf(root, sizeof root, "%s", below);
  snprintf(say, sizeof say, "%s", said);
  root_length = strlen(root);
  until_kill = getenv("POWER_KILL") ? atol(getenv("POWER_KILL")) : 0;
  log_fd = real_openat(AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (log_fd < 0) fail(log);
}

static void record(enum kind kind, uint64_t inode, uint64_t a, uint64_t b, const struct iovec *data, int count) {
  struct { uint32_t kind, length; uint64_t inode, a, b; } head = { kind, 0, inode, a, b };
  struct iovec parts[count + 1];
  size_t total = sizeof head;
  for (int i = 0; i < count; i++) { parts[i + 1] = data[i]; total += data[i].iov_len; }
  head.length = total - sizeof head;
  parts[0] = (struct iovec){ &head, sizeof head };
  if (real_writev(log_fd, parts, count + 1) != (ssize_t)total) fail("cannot write the log");
  if (--until_kill == 0) kill(getpid(), SIGKILL); /* under the lock: nobody else is between a change and its record */
}

static void record_text(enum kind kind, uint64_t inode, const char *one, const char *other) {
  struct iovec parts[3] = { { (char *)one, strlen(one) }, { "", 1 }, { (char *)other, other ? strlen(other) : 0 } };
  record(kind, inode, 0, 0, parts, other ? 3 : 1);
}

/* The path below the root, "" for the root itself, in `buffer`; NULL for any other. */
static const char *below(int dir, const char *path, char *buffer) {
  if (log_fd < 0 || !path) return NULL;
  if (path[0] == '/') {
    snprintf(buffer, PATH_MAX, "%s", path);
  } else {
    char link[64], at[PATH_MAX];
    snprintf(link, sizeof link, dir == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", dir);
    ssize_t length = readlink(link, at, sizeof at - 1);
    if (length < 0) return NULL;
    at[length] = 0;
    if (snprintf(buffer, PATH_MAX, "%s/%s", at, path) >= PATH_MAX) return NULL;
  }
  size_t length = strlen(buffer);
  while (length > 1 && buffer[length - 1] == '/') buffer[--length] = 0;
  if (strncmp(buffer, root, root_length) != 0) return NULL;
  if (buffer[root_length] == 0) return buffer + root_length;
  if (buffer[root_length] != '/') return NULL;
  const char *found = buffer + root_length + 1;
  if (strstr(found, "..") || strstr(found, "//")) fail(found);
  return found;
}

/* A descriptor may be closed without our being told, and its number be another's: an eventfd, a pipe. */
static char use_of(int fd) {
  if (fd < 0 || fd >= MAX_FDS || fds[fd].use == OTHER) return OTHER;
  struct stat stats;
  if (fstat(fd, &stats) != 0 || stats.st_ino != fds[fd].inode || stats.st_dev != fds[fd].device) fds[fd].use = OTHER;
  return fds[fd].use;
}

static void name_fd(int fd, char use) {
  struct stat stats;
  if (fd >= MAX_FDS || fstat(fd, &stats) != 0) fail("too many descriptors");
  fds[fd].inode = stats.st_ino;
  fds[fd].device = stats.st_dev;
  fds[fd].use = use;
}

/* Records bytes that came from another file, as they are there now. */
static void record_range(const char *path, uint64_t inode, off_t from, off_t length) {
  int fd = real_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  char *buffer = malloc(1 << 20);
  if (fd < 0 || !buffer) fail(path);
  for (ssize_t n; length > 0; from += n, length -= n) {
    n = pread(fd, buffer, length < 1 << 20 ? length : 1 << 20, from);
    if (n <= 0) break;
    record(WRITTEN, inode, from, 0, &(struct iovec){ buffer, n }, 1);
  }
  free(buffer);
  real_close(fd);
}
static void record_range_of_fd(int fd, off_t from, off_t length) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  record_range(path, fds[fd].inode, from, length);
}

static int open_at(int dir, const char *path, int flags, mode_t mode) {
  start();
  char buffer[PATH_MAX];
  const char *found = below(dir, path, buffer);
  if (!found) {
    int fd = real_openat(dir, path, flags, mode);
    if (fd >= 0 && log_fd >= 0 && path && strcmp(path, say) == 0) name_fd(fd, SAY);
    return fd;
  }
  pthread_mutex_lock(&lock);
  struct stat stats;
  int there = fstatat(dir, path, &stats, AT_SYMLINK_NOFOLLOW) == 0;
  int fd = real_openat(dir, path, flags, mode);
  int error = errno;
  if (fd >= 0) {
    name_fd(fd, BELOW);
    if (!there) record_text(CREATED, fds[fd].inode, found, NULL);
    else if (flags & O_TRUNC) record(TRUNCATED, fds[fd].inode, 0, 0, NULL, 0);
  }
  pthread_mutex_unlock(&lock);
  errno = error;
  return fd;
}

#define MODE(flags) \
  mode_t mode = 0; \
  if ((flags) & (O_CREAT | __O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); }

int open(const char *path, int flags, ...) { MODE(flags) return open_at(AT_FDCWD, path, flags, mode); }
int openat(int dir, const char *path, int flags, ...) { MODE(flags) return open_at(dir, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return open_at(AT_FDCWD, path, flags, mode); }
int openat64(int dir, const char *path, int flags, ...) { MODE(flags) return open_at(dir, path, flags, mode); }
int __open_2(const char *path, int flags) { return open_at(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return open_at(AT_FDCWD, path, flags, 0); }
int creat(const char *path, mode_t mode) { return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return creat(path, mode); }

int close(int fd) {
  start();
  if (use_of(fd) == OTHER) return real_close(fd);
  fds[fd].use = OTHER; /* before another thread is given the number */
  return real_close(fd);
}

static int as(int fd, int copy) {
  if (copy >= 0 && copy != fd && (use_of(fd) != OTHER || use_of(copy) != OTHER)) fds[copy] = fds[fd];
  return copy;
}
int dup(int fd) { start(); return as(fd, real_dup(fd)); }
int dup2(int fd, int to) { start(); return as(fd, real_dup2(fd, to)); }
int dup3(int fd, int to, int flags) { start(); return as(fd, real_dup3(fd, to, flags)); }

/* Does `call`, which writes what `parts` have at `offset`, or where the descriptor is (-1), and records what was written. */
#define WRITE(fd, parts, count, offset, call) \
  start(); \
  if (use_of(fd) == OTHER) return call; \
  pthread_mutex_lock(&lock); \
  ssize_t written = call; \
  int error = errno; \
  if (written > 0) record_write(fd, parts, count, written, offset); \
  pthread_mutex_unlock(&lock); \
  errno = error; \
  return written;

static void record_write(int fd, const struct iovec *parts, int count, size_t written, off_t offset) {
  struct iovec taken[count];
  size_t left = written;
  for (int i = 0; i < count; i++) {
    taken[i] = parts[i];
    if (taken[i].iov_len > left) taken[i].iov_len = left;
    left -= taken[i].iov_len;
  }
  if (fds[fd].use == SAY) return record(SAID, 0, 0, 0, taken, count);
  if (offset < 0) offset = lseek(fd, 0, SEEK_CUR) - (off_t)written;
  record(WRITTEN, fds[fd].inode, offset, 0, taken, count);
}

#define ONE (&(struct iovec){ (void *)bytes, length })
ssize_t write(int fd, const void *bytes, size_t length) { WRITE(fd, ONE, 1, -1, real_write(fd, bytes, length)) }
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) { WRITE(fd, ONE, 1, at, real_pwrite(fd, bytes, length, at)) }
ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t at) { WRITE(fd, ONE, 1, at, real_pwrite(fd, bytes, length, at)) }
ssize_t writev(int fd, const struct iovec *parts, int count) { WRITE(fd, parts, count, -1, real_writev(fd, parts, count)) }
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) { WRITE(fd, parts, count, at, real_pwritev(fd, parts, count, at)) }
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t at) { WRITE(fd, parts, count, at, real_pwritev(fd, parts, count, at)) }
ssize_t pwritev2(int fd, const struct iovec *parts, int count, off_t at, int flags) { WRITE(fd, parts, count, at, real_pwritev2(fd, parts, count, at, flags)) }
ssize_t pwritev64v2(int fd, const struct iovec *parts, int count, off_t at, int flags) { WRITE(fd, parts, count, at, real_pwritev2(fd, parts, count, at, flags)) }

/* Does `call` under the lock and `then` where it succeeded. */
#define CHANGE(found, call, then) \
  if (!(found)) return call; \
  pthread_mutex_lock(&lock); \
  __typeof__(call) result = call; \
  int error = errno; \
  if (result >= 0) { then; } \
  pthread_mutex_unlock(&lock); \
  errno = error; \
  return result;

static uint64_t size_of(int fd) { struct stat stats; if (fstat(fd, &stats) != 0) fail("fstat"); return stats.st_size; }
static uint64_t inode_of(int dir, const char *path) {
  struct stat stats;
  if (fstatat(dir, path, &stats, AT_SYMLINK_NOFOLLOW) != 0) fail(path);
  return stats.st_ino;
}
int ftruncate(int fd, off_t size) {
  start();
  CHANGE(use_of(fd) == BELOW, real_ftruncate(fd, size), record(TRUNCATED, fds[fd].inode, size, 0, NULL, 0))
}
int ftruncate64(int fd, off_t size) { return ftruncate(fd, size); }
int truncate(const char *path, off_t size) {
  char buffer[PATH_MAX];
  start();
  CHANGE(below(AT_FDCWD, path, buffer), real_truncate(path, size), record(TRUNCATED, inode_of(AT_FDCWD, path), size, 0, NULL, 0))
}
int truncate64(const char *path, off_t size) { return truncate(path, size); }

int fallocate(int fd, int mode, off_t from, off_t length) {
  start();
  if (use_of(fd) == BELOW && (mode & ~FALLOC_FL_KEEP_SIZE)) { errno = EOPNOTSUPP; return -1; }
  CHANGE(use_of(fd) == BELOW, real_fallocate(fd, mode, from, length), record(TRUNCATED, fds[fd].inode, size_of(fd), 0, NULL, 0))
}
int fallocate64(int fd, int mode, off_t from, off_t length) { return fallocate(fd, mode, from, length); }
int posix_fallocate(int fd, off_t from, off_t length) { return fallocate(fd, 0, from, length) == 0 ? 0 : errno; }
int posix_fallocate64(int fd, off_t from, off_t length) { return posix_fallocate(fd, from, length); }

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags) {
  char one[PATH_MAX], other[PATH_MAX];
  start();
  const char *old = below(from_dir, from, one), *new = below(to_dir, to, other);
  if (!old != !new || (old && (flags & RENAME_EXCHANGE))) { errno = ENOTSUP; fail("a rename that cannot be recorded"); }
  CHANGE(old, real_renameat2(from_dir, from, to_dir, to, flags), record_text(RENAMED, 0, old, new))
}
int rename(const char *from, const char *to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int from_dir, const char *from, int to_dir, const char *to) { return renameat2(from_dir, from, to_dir, to, 0); }

/* A name of a file that was there already: from outside it brings bytes along of which nobody knows whether they are on the disk. */
static void record_link(int from_dir, const char *from, int to_dir, const char *to, const char *new) {
  char buffer[PATH_MAX];
  uint64_t inode = inode_of(to_dir, to);
  if (below(from_dir, from, buffer)) return record_text(LINKED, inode, new, NULL);
  record_text(CREATED, inode, new, NULL);
  char path[PATH_MAX + 1];
  snprintf(path, sizeof path, "%s/%s", root, new);
  record_range(path, inode, 0, INT64_MAX);
}
int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags) {
  char buffer[PATH_MAX];
  start();
  const char *new = below(to_dir, to, buffer);
  CHANGE(new, real_linkat(from_dir, from, to_dir, to, flags), record_link(from_dir, from, to_dir, to, new))
}
int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }
/* The store has none. */
int symlinkat(const char *to, int dir, const char *path) {
  char buffer[PATH_MAX];
  start();
  if (below(dir, path, buffer)) { errno = ENOTSUP; fail(path); }
  return real_symlinkat(to, dir, path);
}
int symlink(const char *to, const char *path) { return symlinkat(to, AT_FDCWD, path); }

int unlinkat(int dir, const char *path, int flags) {
  char buffer[PATH_MAX];
  start();
  const char *found = below(dir, path, buffer);
  CHANGE(found, real_unlinkat(dir, path, flags), record_text(UNLINKED, 0, found, NULL))
}
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }
int remove(const char *path) {
  if (unlink(path) == 0) return 0;
  return errno == EISDIR ? rmdir(path) : -1;
}

int mkdirat(int dir, const char *path, mode_t mode) {
  char buffer[PATH_MAX];
  start();
  const char *found = below(dir, path, buffer);
  CHANGE(found, real_mkdirat(dir, path, mode), record_text(MADE, inode_of(dir, path), found, NULL))
}
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

static int sync_recorded(uint64_t inode, uint64_t kind) {
  uint64_t number = ((uint64_t)getpid() << 32) + ++syncs;
  pthread_mutex_lock(&lock);
  record(SYNC_BEGAN, inode, number, kind, NULL, 0);
  pthread_mutex_unlock(&lock);
  nanosleep(&(struct timespec){ 0, SYNC_NANOSECONDS }, NULL);
  pthread_mutex_lock(&lock);
  record(SYNC_ENDED, inode, number, kind, NULL, 0);
  pthread_mutex_unlock(&lock);
  return 0;
}
int fsync(int fd) { start(); return use_of(fd) == BELOW ? sync_recorded(fds[fd].inode, 1) : real_fsync(fd); }
int fdatasync(int fd) { start(); return use_of(fd) == BELOW ? sync_recorded(fds[fd].inode, 2) : real_fdatasync(fd); }
int syncfs(int fd) { start(); return use_of(fd) == BELOW ? sync_recorded(0, 1) : real_syncfs(fd); }

ssize_t copy_file_range(int from, off_t *from_at, int to, off_t *to_at, size_t length, unsigned flags) {
  start();
  off_t at = use_of(to) != BELOW ? 0 : to_at ? *to_at : lseek(to, 0, SEEK_CUR);
  CHANGE(use_of(to) == BELOW, real_copy_file_range(from, from_at, to, to_at, length, flags), record_range_of_fd(to, at, result))
}
ssize_t sendfile(int to, int from, off_t *from_at, size_t length) {
  start();
  off_t at = use_of(to) == BELOW ? lseek(to, 0, SEEK_CUR) : 0;
  CHANGE(use_of(to) == BELOW, real_sendfile(to, from, from_at, length), record_range_of_fd(to, at, result))
}
ssize_t sendfile64(int to, int from, off_t *from_at, size_t length) { return sendfile(to, from, from_at, length); }

int ioctl(int fd, unsigned long request, ...) {
  va_list rest;
  va_start(rest, request);
  void *argument = va_arg(rest, void *);
  va_end(rest);
  start();
  CHANGE(use_of(fd) == BELOW && request == FICLONE, real_ioctl(fd, request, argument), record_range_of_fd(fd, 0, INT64_MAX))
}
