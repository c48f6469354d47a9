# SPDX-License-Identifier: Apache-2.0
#
# ../events.yaml: calls by EventBridge within seconds. In the state ENABLED a rule does not match read-only events, and a call of a
# model is one.

locals {
  events = var.events ? 1 : 0
}

resource "aws_cloudwatch_event_rule" "calls" {
  count       = local.events
  name        = "nowcast-calls"
  description = "Calls of Bedrock, for nowcast"
  state       = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
  event_pattern = jsonencode({
    detail-type = ["AWS API Call via CloudTrail"]
    detail      = { eventSource = var.event_sources }
  })
}

resource "aws_cloudwatch_event_target" "calls" {
  count      = local.events
  rule       = aws_cloudwatch_event_rule.calls[0].name
  target_id  = "queue"
  arn        = aws_sqs_queue.events[0].arn
  depends_on = [aws_sqs_queue_policy.events]
}

resource "aws_sqs_queue" "events" {
  count                      = local.events
  name                       = "nowcast-events"
  message_retention_seconds  = 1209600
  visibility_timeout_seconds = 300
  redrive_policy             = jsonencode({ deadLetterTargetArn = aws_sqs_queue.events_aside[0].arn, maxReceiveCount = 10 })
}

resource "aws_sqs_queue" "events_aside" {
  count                     = local.events
  name                      = "nowcast-events-aside"
  message_retention_seconds = 1209600
}

resource "aws_sqs_queue_policy" "events" {
  count     = local.events
  queue_url = aws_sqs_queue.events[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.events[0].arn
      Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.calls[0].arn } }
    }]
  })
}
