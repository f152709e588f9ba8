"""S3, SQS and Secrets Manager: the only package of offpath that knows the AWS SDK."""
