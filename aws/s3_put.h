// SPDX-License-Identifier: Apache-2.0
// Writes one object to S3. An object is there whole or not at all, so readers see the old one or the new one.
#ifndef NOWCAST_AWS_S3_PUT_H
#define NOWCAST_AWS_S3_PUT_H

#include "aws/s3.h"

// "s3://BUCKET/KEY"; slices of `uri`. False: another form, or a KEY that is empty or a folder.
bool s3_name_parse(struct s3_name *ret, struct str uri);

// Puts `content` there, of at most 5 GiB, with the credentials that the AWS SDKs would find. `type`: its
// media type. ERR_CONFIG: no credentials, no permission, no such bucket; ERR_RETRY: no answer from S3.
bool s3_put(struct s3_name object, struct str content, const char *type, struct err *err) NC_CHECK;

#endif
