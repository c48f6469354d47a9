// SPDX-License-Identifier: Apache-2.0
// gzip. Longest input: 1024 bytes.
#define TARGET INFLATE
#include "tests/fuzz/ingest.h"
