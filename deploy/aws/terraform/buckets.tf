# SPDX-License-Identifier: Apache-2.0
#
# The buckets of the other files, all alike: nobody else reads them, and what is in them goes after some days.

locals {
  # By part: the days. A part that is not made has none.
  buckets = { for part, days in {
    trail    = var.trail ? var.keep_days : null
    firehose = var.firehose ? var.keep_days : null
    logs     = var.logs && var.logs_to_bucket ? var.keep_days : null
    bill     = var.bill ? 400 : null # a year can be compared with the one before
  } : part => days if days != null }

  # By part: the name of the bucket, or none.
  bucket_names = { for part in ["trail", "firehose", "logs", "bill"] : part => [for made, bucket in aws_s3_bucket.nowcast : bucket.id if made == part] }
}

resource "aws_s3_bucket" "nowcast" {
  for_each      = local.buckets
  bucket_prefix = "nowcast-${each.key}-"
}

resource "aws_s3_bucket_public_access_block" "nowcast" {
  for_each                = local.buckets
  bucket                  = aws_s3_bucket.nowcast[each.key].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_lifecycle_configuration" "nowcast" {
  for_each = local.buckets
  bucket   = aws_s3_bucket.nowcast[each.key].id
  rule {
    id     = "expire"
    status = "Enabled"
    filter {}
    expiration {
      days = each.value
    }
  }
}
