# There only if the keyring is symmetric: the secrets that verify, and could sign.
path "$data/$ring/verification" {
  capabilities = ["read"]
}
