# SPDX-License-Identifier: Apache-2.0
#
# The role of ../role.yaml: its policy is ../policy.json.

module "policy" {
  source        = "./policy"
  read          = var.read
  partition     = local.partition
  account       = local.account
  log_group     = var.logs ? var.log_group : "*"
  queue_arns    = concat(var.queue_arns, aws_sqs_queue.trail[*].arn, aws_sqs_queue.events[*].arn)
  trail_buckets = concat(var.trail_buckets, local.bucket_names.trail)
  log_buckets   = concat(var.log_buckets, local.bucket_names.logs, local.bucket_names.firehose)
  bill_buckets  = concat(var.bill_buckets, local.bucket_names.bill)
  kms_key_arns  = concat(var.kms_key_arns, compact([var.trail_kms_key_arn]))
}

resource "aws_iam_role" "nowcast" {
  name        = "nowcast"
  description = "nowcast reads who spends what on Amazon Bedrock"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [merge(
      { Effect = "Allow", Principal = { AWS = var.trusted_principal }, Action = "sts:AssumeRole" },
      var.external_id == "" ? {} : { Condition = { StringEquals = { "sts:ExternalId" = var.external_id } } }
    )]
  })
}

resource "aws_iam_role_policy" "nowcast" {
  name   = "nowcast"
  role   = aws_iam_role.nowcast.id
  policy = jsonencode(module.policy.policy)
}
