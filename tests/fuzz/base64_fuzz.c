// SPDX-License-Identifier: Apache-2.0
#define TARGET BASE64
#include "tests/fuzz/ingest.h"
