// SPDX-License-Identifier: Apache-2.0
// Linked into builds with SAN=thread: C11's threads by POSIX's. The thread sanitizer does not know
// thrd_create, by which librdkafka starts its threads, and the first allocation of a thread that it does not
// know is a crash. Locks are here so that it sees what they order.
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

_Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t) && sizeof(cnd_t) == sizeof(pthread_cond_t) &&
                   sizeof(thrd_t) == sizeof(pthread_t),
               "glibc's types of C11 are those of POSIX");

static int status_of(int code)
{
	return code == 0           ? thrd_success
	       : code == EBUSY     ? thrd_busy
	       : code == ETIMEDOUT ? thrd_timedout
	                           : thrd_error;
}

// What a thread of librdkafka frees was read by one of ours; the count of references between them is not
// seen.
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "called_from_lib:librdkafka.so\n";
}

struct start {
	thrd_start_t fn;
	void *arg;
};

static void *run_thread(void *user)
{
	struct start s = *(struct start *)user;
	free(user);
	return (void *)(intptr_t)s.fn(s.arg);
}

int thrd_create(thrd_t *ret, thrd_start_t fn, void *arg)
{
	struct start *s = malloc(sizeof *s);
	if (!s)
		return thrd_nomem;
	*s = (struct start){fn, arg};
	int code = pthread_create(ret, NULL, run_thread, s);
	if (code)
		free(s);
	return status_of(code);
}

int thrd_join(thrd_t thread, int *ret)
{
	void *result;
	int code = pthread_join(thread, &result);
	if (!code && ret)
		*ret = (int)(intptr_t)result;
	return status_of(code);
}

int thrd_detach(thrd_t thread)
{
	return status_of(pthread_detach(thread));
}

int mtx_init(mtx_t *m, int type)
{
	pthread_mutexattr_t attr;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, type & mtx_recursive ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_NORMAL);
	int code = pthread_mutex_init((pthread_mutex_t *)m, &attr);
	pthread_mutexattr_destroy(&attr);
	return status_of(code);
}

int mtx_lock(mtx_t *m)
{
	return status_of(pthread_mutex_lock((pthread_mutex_t *)m));
}

int mtx_trylock(mtx_t *m)
{
	return status_of(pthread_mutex_trylock((pthread_mutex_t *)m));
}

int mtx_unlock(mtx_t *m)
{
	return status_of(pthread_mutex_unlock((pthread_mutex_t *)m));
}

void mtx_destroy(mtx_t *m)
{
	pthread_mutex_destroy((pthread_mutex_t *)m);
}

int cnd_init(cnd_t *c)
{
	return status_of(pthread_cond_init((pthread_cond_t *)c, NULL));
}

int cnd_signal(cnd_t *c)
{
	return status_of(pthread_cond_signal((pthread_cond_t *)c));
}

int cnd_broadcast(cnd_t *c)
{
	return status_of(pthread_cond_broadcast((pthread_cond_t *)c));
}

int cnd_wait(cnd_t *c, mtx_t *m)
{
	return status_of(pthread_cond_wait((pthread_cond_t *)c, (pthread_mutex_t *)m));
}

int cnd_timedwait(cnd_t *c, mtx_t *m, const struct timespec *until)
{
	return status_of(pthread_cond_timedwait((pthread_cond_t *)c, (pthread_mutex_t *)m, until));
}

void cnd_destroy(cnd_t *c)
{
	pthread_cond_destroy((pthread_cond_t *)c);
}
