/// libcurl, and typed wrappers for the functions that Swift can't call because they are variadic.
#ifndef TENANTATLAS_CCURL_SHIM_H
#define TENANTATLAS_CCURL_SHIM_H

#include <curl/curl.h>
#include <errno.h>
#include <sys/epoll.h>

#if LIBCURL_VERSION_NUM < 0x075700
#error "libcurl 7.87 or later is needed (CURLOPT_QUICK_EXIT)"
#endif

static inline CURLcode curl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode curl_set_size(CURL *handle, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(handle, option, value);
}

/// curl copies the text, so it need not outlive the call. NULL sets the option back to its default.
static inline CURLcode curl_set_text(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}

/// Sets a pointer that curl keeps: it must outlive the transfer.
static inline CURLcode curl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return curl_easy_setopt(handle, option, value);
}

/// curl keeps the list: it must outlive the transfer.
static inline CURLcode curl_set_list(CURL *handle, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(handle, option, value);
}

typedef size_t (*curl_bytes_function)(char *bytes, size_t size, size_t count, void *context);
typedef int (*curl_before_request_function)(
    void *context, char *remote_address, char *local_address, int remote_port, int local_port);

static inline CURLcode curl_set_writer(CURL *handle, curl_bytes_function function, void *context) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, function);
    return code != CURLE_OK ? code : curl_easy_setopt(handle, CURLOPT_WRITEDATA, context);
}

static inline CURLcode curl_set_reader(CURL *handle, curl_bytes_function function, void *context) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_READFUNCTION, function);
    return code != CURLE_OK ? code : curl_easy_setopt(handle, CURLOPT_READDATA, context);
}

static inline CURLcode curl_set_progress(
    CURL *handle, curl_xferinfo_callback function, void *context) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, function);
    return code != CURLE_OK ? code : curl_easy_setopt(handle, CURLOPT_XFERINFODATA, context);
}

static inline CURLcode curl_set_open_socket(
    CURL *handle, curl_opensocket_callback function, void *context) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, function);
    return code != CURLE_OK ? code : curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, context);
}

static inline CURLcode curl_set_before_request(
    CURL *handle, curl_before_request_function function, void *context) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, function);
    return code != CURLE_OK ? code : curl_easy_setopt(handle, CURLOPT_PREREQDATA, context);
}

static inline long curl_response_code(CURL *handle) {
    long code = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &code);
    return code;
}

/// The number that was set as CURLOPT_PRIVATE.
static inline long curl_private_number(CURL *handle) {
    char *number = 0;
    curl_easy_getinfo(handle, CURLINFO_PRIVATE, &number);
    return (long)number;
}

static inline CURLMcode curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

/// The most sockets that curl_sockets_ready reports at once.
#define CURL_SOCKETS_MOST 256

/// A socket that has something to say, and what in CURL_CSELECT bits.
struct curl_socket_ready {
    curl_socket_t socket;
    int mask;
};

/// A close-on-exec epoll descriptor, or -1 with errno set. epoll is not in Swift's Glibc module.
static inline int curl_sockets_new(void) { return epoll_create1(EPOLL_CLOEXEC); }

/// Watches a socket for what curl's socket callback was told: CURL_POLL_IN, OUT, INOUT or REMOVE.
static inline void curl_sockets_watch(int sockets, curl_socket_t socket, int what) {
    struct epoll_event event = {.data.fd = socket};
    if (what & CURL_POLL_IN) event.events |= EPOLLIN;
    if (what & CURL_POLL_OUT) event.events |= EPOLLOUT;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(sockets, EPOLL_CTL_DEL, socket, &event);
    } else if (epoll_ctl(sockets, EPOLL_CTL_ADD, socket, &event) != 0 && errno == EEXIST) {
        epoll_ctl(sockets, EPOLL_CTL_MOD, socket, &event);
    }
}

/// Which watched sockets have something to say now; how many of CURL_SOCKETS_MOST places were filled.
static inline int curl_sockets_ready(int sockets, struct curl_socket_ready *ready) {
    struct epoll_event events[CURL_SOCKETS_MOST];
    int count = epoll_wait(sockets, events, CURL_SOCKETS_MOST, 0);
    for (int index = 0; index < count; index++) {
        uint32_t seen = events[index].events;
        ready[index].socket = events[index].data.fd;
        ready[index].mask = (seen & EPOLLIN ? CURL_CSELECT_IN : 0) | (seen & EPOLLOUT ? CURL_CSELECT_OUT : 0)
            | (seen & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
    }
    return count < 0 ? 0 : count;
}

static inline void curl_multi_set_callbacks(
    CURLM *multi, curl_socket_callback socket, curl_multi_timer_callback timer, void *context) {
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, context);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, context);
}

#endif
