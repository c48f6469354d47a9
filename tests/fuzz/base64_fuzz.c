// SPDX-License-Identifier: Apache-2.0
// base64. Longest input: 512 bytes.
#define TARGET BASE64
#include "tests/fuzz/ingest.h"
