# SPDX-License-Identifier: Apache-2.0
#
# What nowcast reads AWS by, as a module: the same as the templates in the folder above, which say why. Each part is switched by a
# variable (docs/aws.md).
#
#     module "nowcast" {
#       source            = "git::https://HOST/nowcast.git//deploy/aws/terraform"
#       trusted_principal = aws_iam_role.machine.arn
#       trail             = true
#     }

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0"
    }
  }
}

data "aws_caller_identity" "own" {}
data "aws_partition" "own" {}
data "aws_region" "own" {}

locals {
  account   = data.aws_caller_identity.own.account_id
  partition = data.aws_partition.own.partition
  region    = data.aws_region.own.region
}
