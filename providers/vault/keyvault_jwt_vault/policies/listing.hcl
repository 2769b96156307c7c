# Which keyrings there are, and which documents each has.
path "$metadata/" {
  capabilities = ["list"]
}
path "$metadata/+/" {
  capabilities = ["list"]
}
