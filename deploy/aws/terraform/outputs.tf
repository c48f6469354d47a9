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
  value       = one(local.bucket_names.trail)
  description = "For nowcast replay"
}

output "firehose_bucket" {
  value       = one(local.bucket_names.firehose)
  description = "For nowcast replay"
}

output "bill_files" {
  value       = one([for name in local.bucket_names.bill : "s3://${name}/exports/nowcast"])
  description = "For nowcast reconcile"
}
