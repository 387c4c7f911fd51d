// SPDX-License-Identifier: MIT
/*
 * coverage.c - what a plug-in that was built with COVERAGE=1 calls as it is loaded: here nobody
 * counts. So that run and list take what fuzz takes. Exported by the Makefile; a sanitizer's own
 * stand before them.
 */
#include <stdint.h>

void __sanitizer_cov_8bit_counters_init(uint8_t *begin, uint8_t *end);
void __sanitizer_cov_pcs_init(const uintptr_t *begin, const uintptr_t *end);

__attribute__((weak)) void __sanitizer_cov_8bit_counters_init(uint8_t *begin, uint8_t *end)
{
	(void)begin;
	(void)end;
}

__attribute__((weak)) void __sanitizer_cov_pcs_init(const uintptr_t *begin, const uintptr_t *end)
{
	(void)begin;
	(void)end;
}
