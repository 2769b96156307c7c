"""What each role may do, as statements of an IAM policy."""
