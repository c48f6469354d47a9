# SPDX-License-Identifier: Apache-2.0
#
# ../firehose.yaml: what AWS pushes by itself, by one Firehose to an HTTPS endpoint of nowcast or to a bucket.

locals {
  firehose    = var.firehose ? 1 : 0
  to_endpoint = var.endpoint_url != ""
  sent_logs   = var.firehose && local.to_endpoint && var.firehose_log_group != "" ? 1 : 0
  sent_calls  = var.firehose && var.firehose_calls ? 1 : 0
}

resource "aws_s3_bucket_notification" "firehose" {
  count      = var.trail && !local.to_endpoint ? local.firehose : 0
  bucket     = aws_s3_bucket.nowcast["firehose"].id
  depends_on = [aws_sqs_queue_policy.trail]
  queue {
    queue_arn = aws_sqs_queue.trail[0].arn
    events    = ["s3:ObjectCreated:*"]
  }
}

resource "aws_iam_role" "firehose" {
  count       = local.firehose
  name_prefix = "nowcast-firehose-"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "firehose.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "firehose" {
  count = local.firehose
  name  = "bucket"
  role  = aws_iam_role.firehose[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["s3:AbortMultipartUpload", "s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:PutObject"]
      Resource = [aws_s3_bucket.nowcast["firehose"].arn, "${aws_s3_bucket.nowcast["firehose"].arn}/*"]
    }]
  })
}

resource "aws_kinesis_firehose_delivery_stream" "nowcast" {
  count       = local.firehose
  name        = "nowcast"
  destination = local.to_endpoint ? "http_endpoint" : "extended_s3"
  depends_on  = [aws_iam_role_policy.firehose]

  dynamic "http_endpoint_configuration" {
    for_each = local.to_endpoint ? [var.endpoint_url] : []
    content {
      name               = "nowcast"
      url                = http_endpoint_configuration.value
      access_key         = var.access_key
      role_arn           = aws_iam_role.firehose[0].arn
      buffering_interval = var.buffer_seconds
      buffering_size     = 1
      retry_duration     = 7200
      s3_backup_mode     = "FailedDataOnly"
      request_configuration {
        content_encoding = "GZIP"
      }
      s3_configuration {
        bucket_arn         = aws_s3_bucket.nowcast["firehose"].arn
        role_arn           = aws_iam_role.firehose[0].arn
        prefix             = "failed/"
        compression_format = "GZIP"
      }
    }
  }

  dynamic "extended_s3_configuration" {
    for_each = local.to_endpoint ? [] : [1]
    content {
      bucket_arn          = aws_s3_bucket.nowcast["firehose"].arn
      role_arn            = aws_iam_role.firehose[0].arn
      prefix              = "records/"
      error_output_prefix = "failed/"
      compression_format  = "GZIP"
      buffering_interval  = var.buffer_seconds
      buffering_size      = 5
    }
  }
}

# CloudWatch, CloudWatch Logs and EventBridge put records.
resource "aws_iam_role" "sender" {
  count       = local.firehose
  name_prefix = "nowcast-sender-"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = ["streams.metrics.cloudwatch.amazonaws.com", "logs.amazonaws.com", "events.amazonaws.com"] }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "sender" {
  count = local.firehose
  name  = "put"
  role  = aws_iam_role.sender[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["firehose:PutRecord", "firehose:PutRecordBatch"]
      Resource = aws_kinesis_firehose_delivery_stream.nowcast[0].arn
    }]
  })
}

resource "aws_cloudwatch_metric_stream" "nowcast" {
  count         = local.firehose
  name          = "nowcast"
  firehose_arn  = aws_kinesis_firehose_delivery_stream.nowcast[0].arn
  role_arn      = aws_iam_role.sender[0].arn
  output_format = "json"
  include_filter {
    namespace = "AWS/Bedrock"
  }
  include_filter {
    namespace = "AWS/BedrockMantle"
  }
}

resource "aws_cloudwatch_log_subscription_filter" "nowcast" {
  count           = local.sent_logs
  name            = "nowcast"
  log_group_name  = var.firehose_log_group
  filter_pattern  = ""
  destination_arn = aws_kinesis_firehose_delivery_stream.nowcast[0].arn
  role_arn        = aws_iam_role.sender[0].arn
  depends_on      = [aws_iam_role_policy.sender]
}

# In the state ENABLED a rule does not match read-only events, and a call of a model is one.
resource "aws_cloudwatch_event_rule" "firehose" {
  count       = local.sent_calls
  name        = "nowcast-firehose"
  description = "Calls of Bedrock, for nowcast"
  state       = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
  event_pattern = jsonencode({
    detail-type = ["AWS API Call via CloudTrail"]
    detail      = { eventSource = var.event_sources }
  })
}

resource "aws_cloudwatch_event_target" "firehose" {
  count     = local.sent_calls
  rule      = aws_cloudwatch_event_rule.firehose[0].name
  target_id = "firehose"
  arn       = aws_kinesis_firehose_delivery_stream.nowcast[0].arn
  role_arn  = aws_iam_role.sender[0].arn
}
