/* SPDX-License-Identifier: MIT */
/*
 * static_tls.h - libraries whose thread-local variables must be there when a process begins (as
 * jemalloc's are, in Debian) can be loaded later only if room was kept for them. select.c relies on
 * it.
 */
#ifndef SLABFUZZ_STATIC_TLS_H
#define SLABFUZZ_STATIC_TLS_H

/*
 * If `why` is the loader's complaint about this, and the process was not begun with more room:
 * begins it anew, with the same arguments, and does not return.
 */
void sf_static_tls_again(const char *why);

#endif
