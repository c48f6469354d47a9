# SPDX-License-Identifier: Apache-2.0
#
# ../organization.yaml: ../role.yaml in each account of an organisation, new accounts too. The management account is left out by
# StackSets; its role is that of role.tf.

locals {
  stack_set = length(var.organizational_unit_ids) > 0 ? 1 : 0
}

resource "aws_cloudformation_stack_set" "roles" {
  count            = local.stack_set
  name             = "nowcast"
  description      = "What nowcast reads the accounts by. It only reads."
  template_body    = file("${path.module}/../role.yaml")
  capabilities     = ["CAPABILITY_NAMED_IAM"]
  permission_model = "SERVICE_MANAGED"
  parameters = {
    TrustedPrincipal = var.trusted_principal
    ExternalId       = var.external_id
  }
  auto_deployment {
    enabled                          = true
    retain_stacks_on_account_removal = false
  }
  managed_execution {
    active = true
  }
  operation_preferences {
    failure_tolerance_percentage = 100
    max_concurrent_percentage    = 100
  }
  lifecycle {
    ignore_changes = [administration_role_arn]
  }
}

resource "aws_cloudformation_stack_set_instance" "roles" {
  count                     = local.stack_set
  stack_set_name            = aws_cloudformation_stack_set.roles[0].name
  stack_set_instance_region = local.region
  deployment_targets {
    organizational_unit_ids = var.organizational_unit_ids
  }
}
