# SPDX-License-Identifier: Apache-2.0

output "role_arn" {
  value       = aws_iam_role.nowcast.arn
  description = "For the key accounts of nowcast"
}

output "trail_queue_url" {
  value       = one(aws_sqs_queue.trail[*].url)
  description = "For the key trail.queue of nowcast"
}

output "events_queue_url" {
  value       = one(aws_sqs_queue.events[*].url)
  description = "For the key trail.queue of nowcast, in place of the other"
}

output "trail_bucket" {
  value       = one(aws_s3_bucket.trail[*].id)
  description = "For nowcast replay"
}

output "firehose_bucket" {
  value       = one(aws_s3_bucket.firehose[*].id)
  description = "For nowcast replay"
}

output "bill_files" {
  value       = one([for b in aws_s3_bucket.bill[*].id : "s3://${b}/exports/nowcast"])
  description = "For nowcast reconcile"
}
