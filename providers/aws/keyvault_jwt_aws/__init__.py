"""Keyrings in AWS Secrets Manager and KMS."""
