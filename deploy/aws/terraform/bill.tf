# SPDX-License-Identifier: Apache-2.0
#
# ../bill.yaml: a CUR 2.0 export by the hour with principals, in Parquet. The columns are those that reconcile/ reads.

locals {
  bill = var.bill ? 1 : 0
}

resource "aws_s3_bucket_policy" "bill" {
  count  = local.bill
  bucket = aws_s3_bucket.nowcast["bill"].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = ["billingreports.amazonaws.com", "bcm-data-exports.amazonaws.com"] }
      Action    = ["s3:PutObject", "s3:GetBucketPolicy"]
      Resource  = [aws_s3_bucket.nowcast["bill"].arn, "${aws_s3_bucket.nowcast["bill"].arn}/*"]
      Condition = {
        StringLike = {
          "aws:SourceAccount" = local.account
          "aws:SourceArn" = [
            "arn:${local.partition}:cur:us-east-1:${local.account}:definition/*",
            "arn:${local.partition}:bcm-data-exports:us-east-1:${local.account}:export/*",
          ]
        }
      }
    }]
  })
}

resource "aws_bcmdataexports_export" "nowcast" {
  count      = local.bill
  depends_on = [aws_s3_bucket_policy.bill]
  export {
    name = "nowcast"
    data_query {
      query_statement = join(" ", [
        "SELECT bill_billing_entity, bill_invoice_id, line_item_usage_account_id, line_item_usage_start_date, line_item_usage_end_date,",
        "line_item_usage_type, line_item_usage_amount, line_item_unblended_cost, line_item_currency_code, line_item_line_item_type,",
        "line_item_line_item_description, line_item_product_code, line_item_resource_id, line_item_iam_principal, pricing_unit, product,",
        "product_region_code, product_servicecode, product_product_family, tags FROM COST_AND_USAGE_REPORT",
      ])
      table_configurations = {
        COST_AND_USAGE_REPORT = {
          TIME_GRANULARITY           = "HOURLY"
          INCLUDE_RESOURCES          = "TRUE"
          INCLUDE_IAM_PRINCIPAL_DATA = "TRUE"
        }
      }
    }
    destination_configurations {
      s3_destination {
        s3_bucket = aws_s3_bucket.nowcast["bill"].id
        s3_prefix = "exports"
        s3_region = local.region
        s3_output_configurations {
          output_type = "CUSTOM"
          format      = "PARQUET"
          compression = "PARQUET"
          overwrite   = "OVERWRITE_REPORT"
        }
      }
    }
    refresh_cadence {
      frequency = "SYNCHRONOUS"
    }
  }
}
