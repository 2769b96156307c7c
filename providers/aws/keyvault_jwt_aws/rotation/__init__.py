"""Native rotation: the four steps in which Secrets Manager lets a Lambda function replace a secret."""
