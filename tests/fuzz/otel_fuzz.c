// SPDX-License-Identifier: Apache-2.0
// OpenTelemetry metrics in protobuf. Longest input: 2048 bytes.
#define TARGET OTEL
#include "tests/fuzz/ingest.h"
