# SPDX-License-Identifier: Apache-2.0
#
# ../trail.yaml: a trail with the data events of Bedrock, and the queue that tells of its files.

locals {
  trail     = var.trail ? 1 : 0
  trail_arn = "arn:${local.partition}:cloudtrail:${local.region}:${local.account}:trail/nowcast"
  # A selector has one type of resources.
  data_events = {
    mantle = "AWS::BedrockMantle::Project"
    speech = "AWS::Bedrock::Model"
    async  = "AWS::Bedrock::AsyncInvoke"
  }
  # A copy of each as a data event would cost, and tell nothing more.
  management_events = ["InvokeModel", "InvokeModelWithResponseStream", "Converse", "ConverseStream"]
}

# Messages wait for two weeks while nowcast is away; one that is taken ten times in vain is put aside.
resource "aws_sqs_queue" "trail" {
  count                      = local.trail
  name                       = "nowcast-trail"
  message_retention_seconds  = 1209600
  visibility_timeout_seconds = 300
  kms_master_key_id          = var.trail_kms_key_arn == "" ? null : var.trail_kms_key_arn
  redrive_policy             = jsonencode({ deadLetterTargetArn = aws_sqs_queue.trail_aside[0].arn, maxReceiveCount = 10 })
}

resource "aws_sqs_queue" "trail_aside" {
  count                     = local.trail
  name                      = "nowcast-trail-aside"
  message_retention_seconds = 1209600
  kms_master_key_id         = var.trail_kms_key_arn == "" ? null : var.trail_kms_key_arn
}

resource "aws_sqs_queue_policy" "trail" {
  count     = local.trail
  queue_url = aws_sqs_queue.trail[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "s3.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.trail[0].arn
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_s3_bucket_notification" "trail" {
  count      = local.trail
  bucket     = aws_s3_bucket.nowcast["trail"].id
  depends_on = [aws_sqs_queue_policy.trail]
  queue {
    queue_arn = aws_sqs_queue.trail[0].arn
    events    = ["s3:ObjectCreated:*"]
  }
}

resource "aws_s3_bucket_policy" "trail" {
  count  = local.trail
  bucket = aws_s3_bucket.nowcast["trail"].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { Service = "cloudtrail.amazonaws.com" }
        Action    = "s3:GetBucketAcl"
        Resource  = aws_s3_bucket.nowcast["trail"].arn
        Condition = { StringEquals = { "aws:SourceArn" = local.trail_arn } }
      },
      {
        Effect    = "Allow"
        Principal = { Service = "cloudtrail.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource  = [for owner in compact([local.account, var.organization_id]) : "${aws_s3_bucket.nowcast["trail"].arn}/AWSLogs/${owner}/*"]
        Condition = { StringEquals = { "s3:x-amz-acl" = "bucket-owner-full-control", "aws:SourceArn" = local.trail_arn } }
      }
    ]
  })
}

resource "aws_cloudtrail" "nowcast" {
  count                         = local.trail
  name                          = "nowcast"
  s3_bucket_name                = aws_s3_bucket.nowcast["trail"].id
  is_multi_region_trail         = true
  include_global_service_events = true
  is_organization_trail         = var.organization_id != ""
  kms_key_id                    = var.trail_kms_key_arn == "" ? null : var.trail_kms_key_arn
  depends_on                    = [aws_s3_bucket_policy.trail]

  advanced_event_selector {
    name = "management"
    field_selector {
      field  = "eventCategory"
      equals = ["Management"]
    }
  }
  dynamic "advanced_event_selector" {
    for_each = local.data_events
    content {
      name = advanced_event_selector.key
      field_selector {
        field  = "eventCategory"
        equals = ["Data"]
      }
      field_selector {
        field  = "resources.type"
        equals = [advanced_event_selector.value]
      }
      dynamic "field_selector" {
        for_each = advanced_event_selector.key == "speech" ? [1] : []
        content {
          field      = "eventName"
          not_equals = local.management_events
        }
      }
    }
  }
}
