# SPDX-License-Identifier: Apache-2.0
#
# The statements of ../../policy.json that are wanted, for the resources that there are. It needs no provider.

variable "read" {
  type = set(string)
}

variable "partition" {
  type = string
}

variable "account" {
  type = string
}

variable "log_group" {
  type = string
}

variable "queue_arns" {
  type = list(string)
}

variable "trail_buckets" {
  type = list(string)
}

variable "log_buckets" {
  type = list(string)
}

variable "bill_buckets" {
  type = list(string)
}

variable "kms_key_arns" {
  type = list(string)
}

locals {
  logs    = "arn:${var.partition}:logs:*:${var.account}:log-group:${var.log_group}"
  buckets = { for sid, names in { TrailFiles = var.trail_buckets, LogFiles = var.log_buckets, Bill = var.bill_buckets } : sid => flatten([for name in names : ["arn:${var.partition}:s3:::${name}", "arn:${var.partition}:s3:::${name}/*"]]) }

  # By statement: the resources. None: the statement is left out.
  resources = merge(local.buckets, {
    Calls       = contains(var.read, "calls") ? ["*"] : []
    Metrics     = contains(var.read, "metrics") ? ["*"] : []
    Logging     = contains(var.read, "logs") ? ["*"] : []
    Logs        = contains(var.read, "logs") ? [local.logs, "${local.logs}:*"] : []
    Tags        = contains(var.read, "tags") ? ["*"] : []
    AccountTags = contains(var.read, "tags") ? ["*"] : []
    Profiles    = contains(var.read, "profiles") ? ["*"] : []
    Setup       = contains(var.read, "setup") ? ["*"] : []
    Accounts    = contains(var.read, "accounts") ? ["arn:${var.partition}:iam::*:role/nowcast"] : []
    Queue       = var.queue_arns
    Decrypt     = var.kms_key_arns
  })
}

output "policy" {
  value = {
    Version   = "2012-10-17"
    Statement = [for s in jsondecode(file("${path.module}/../../policy.json")).Statement : merge(s, { Resource = local.resources[s.Sid] }) if length(local.resources[s.Sid]) > 0]
  }
}
