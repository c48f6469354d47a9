# SPDX-License-Identifier: Apache-2.0

# ---- the role -----------------------------------------------------------------------------------

variable "trusted_principal" {
  type        = string
  description = "ARN of who may assume the role: the role of the machine that runs nowcast, or an account"
}

variable "external_id" {
  type        = string
  default     = ""
  description = "accounts.external_id of nowcast; empty: none is asked for"
}

variable "read" {
  type        = set(string)
  default     = ["calls", "metrics", "logs", "tags", "profiles"]
  description = "What the role may read: calls, metrics, logs, tags, profiles, setup (nowcast setup), accounts (it assumes the role nowcast of others)"
  validation {
    condition     = length(setsubtract(var.read, ["calls", "metrics", "logs", "tags", "profiles", "setup", "accounts"])) == 0
    error_message = "read takes calls, metrics, logs, tags, profiles, setup and accounts."
  }
}

variable "queue_arns" {
  type        = list(string)
  default     = []
  description = "Queues beside those that are made here"
}

variable "trail_buckets" {
  type        = list(string)
  default     = []
  description = "Buckets of trails beside the one that is made here"
}

variable "log_buckets" {
  type        = list(string)
  default     = []
  description = "Buckets of invocation logs beside those that are made here"
}

variable "bill_buckets" {
  type        = list(string)
  default     = []
  description = "Buckets of CUR exports beside the one that is made here"
}

variable "kms_key_arns" {
  type        = list(string)
  default     = []
  description = "Your own keys by which queues and buckets are encrypted"
}

# ---- what is made -------------------------------------------------------------------------------

variable "trail" {
  type        = bool
  default     = false
  description = "A trail with the data events of Bedrock, its bucket and its queue; AWS charges for data events"
}

variable "organization_id" {
  type        = string
  default     = ""
  description = "o-...: the trail is that of the organisation (in its management account)"
}

variable "trail_kms_key_arn" {
  type        = string
  default     = ""
  description = "Your own key for the trail's files and queue; trail.yaml says what its key policy must allow"
}

variable "events" {
  type        = bool
  default     = false
  description = "Calls by EventBridge within seconds, and a queue of their own; it needs a trail"
}

variable "event_sources" {
  type        = list(string)
  default     = ["bedrock.amazonaws.com", "bedrock-mantle.amazonaws.com"]
  description = "Whose events; with sts.amazonaws.com and iam.amazonaws.com, nowcast learns tags of sessions and roles as they change"
}

variable "firehose" {
  type        = bool
  default     = false
  description = "A Firehose with a metric stream, to endpoint_url, or else to a bucket"
}

variable "endpoint_url" {
  type        = string
  default     = ""
  description = "The HTTPS endpoint that takes the records, https://HOST/firehose of nowcast; empty: they go to the bucket"
}

variable "access_key" {
  type        = string
  default     = ""
  sensitive   = true
  description = "What Firehose sends as X-Amz-Firehose-Access-Key, 16 characters or more"
}

variable "buffer_seconds" {
  type        = number
  default     = 60
  description = "How long Firehose collects at most"
}

variable "firehose_log_group" {
  type        = string
  default     = ""
  description = "With endpoint_url: the log group of invocation logs to send; empty: none"
}

variable "firehose_calls" {
  type        = bool
  default     = false
  description = "The events of CloudTrail too, by EventBridge; it needs a trail"
}

variable "logs" {
  type        = bool
  default     = false
  description = "Invocation logging into log_group, without prompts and answers; it replaces what the Region has"
}

variable "log_group" {
  type        = string
  default     = "/aws/bedrock/invocations"
  description = "The log group of the invocation logs"
}

variable "logs_to_bucket" {
  type        = bool
  default     = false
  description = "Invocation logs to a bucket, too"
}

variable "bill" {
  type        = bool
  default     = false
  description = "A CUR 2.0 export by the hour with principals, in Parquet (in the account that pays)"
}

variable "organizational_unit_ids" {
  type        = list(string)
  default     = []
  description = "r-... or ou-...: the role in each account of them, as a StackSet (in the management account)"
}

variable "keep_days" {
  type        = number
  default     = 30
  description = "How long files and logs are kept; those of the bill, 400 days"
}
