# SPDX-License-Identifier: Apache-2.0
#
# ../logs.yaml, and the switch, which CloudFormation has no type for. Prompts and answers are not logged: nowcast needs none of them.

locals {
  logs           = var.logs ? 1 : 0
  logs_to_bucket = var.logs && var.logs_to_bucket ? 1 : 0
  by_bedrock = {
    StringEquals = { "aws:SourceAccount" = local.account }
    ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:bedrock:${local.region}:${local.account}:*" }
  }
}

resource "aws_cloudwatch_log_group" "invocations" {
  count             = local.logs
  name              = var.log_group
  retention_in_days = var.keep_days
}

resource "aws_iam_role" "logs" {
  count       = local.logs
  name_prefix = "nowcast-logs-"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "bedrock.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = local.by_bedrock
    }]
  })
}

resource "aws_iam_role_policy" "logs" {
  count = local.logs
  name  = "logs"
  role  = aws_iam_role.logs[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = "${aws_cloudwatch_log_group.invocations[0].arn}:log-stream:aws/bedrock/modelinvocations"
    }]
  })
}

resource "aws_s3_bucket_notification" "logs" {
  count      = var.trail ? local.logs_to_bucket : 0
  bucket     = aws_s3_bucket.nowcast["logs"].id
  depends_on = [aws_sqs_queue_policy.trail]
  queue {
    queue_arn = aws_sqs_queue.trail[0].arn
    events    = ["s3:ObjectCreated:*"]
  }
}

resource "aws_s3_bucket_policy" "logs" {
  count  = local.logs_to_bucket
  bucket = aws_s3_bucket.nowcast["logs"].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "bedrock.amazonaws.com" }
      Action    = "s3:PutObject"
      Resource  = "${aws_s3_bucket.nowcast["logs"].arn}/AWSLogs/${local.account}/BedrockModelInvocationLogs/*"
      Condition = local.by_bedrock
    }]
  })
}

resource "aws_bedrock_model_invocation_logging_configuration" "nowcast" {
  count      = local.logs
  depends_on = [aws_iam_role_policy.logs, aws_s3_bucket_policy.logs]
  logging_config {
    text_data_delivery_enabled      = false
    image_data_delivery_enabled     = false
    embedding_data_delivery_enabled = false
    video_data_delivery_enabled     = false
    cloudwatch_config {
      log_group_name = aws_cloudwatch_log_group.invocations[0].name
      role_arn       = aws_iam_role.logs[0].arn
    }
    dynamic "s3_config" {
      for_each = local.bucket_names.logs
      content {
        bucket_name = s3_config.value
      }
    }
  }
}
