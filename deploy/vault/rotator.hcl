# rotator: makes keys, rotates, revokes and destroys them, of every keyring.
# It deletes nothing: what a private document held before is destroyed by the write that replaces it.
path "secret/data/jwt/+/authority" {
  capabilities = ["create", "read", "update"]
}
path "secret/data/jwt/+/signing" {
  capabilities = ["create", "read", "update"]
}
path "secret/data/jwt/+/verification" {
  capabilities = ["create", "read", "update"]
}
path "secret/data/jwt/+/public" {
  capabilities = ["create", "read", "update"]
}
path "secret/data/jwt/+/archive-*" {
  capabilities = ["create", "read", "update"]
}
# Private documents ask for check-and-set and keep one version.
path "secret/metadata/jwt/+/authority" {
  capabilities = ["create", "read", "update"]
}
path "secret/metadata/jwt/+/signing" {
  capabilities = ["create", "read", "update"]
}
path "secret/metadata/jwt/+/verification" {
  capabilities = ["create", "read", "update"]
}
path "secret/metadata/jwt/+/archive-*" {
  capabilities = ["create", "read", "update"]
}
# Versions that another hand let be kept are purged.
path "secret/destroy/jwt/+/authority" {
  capabilities = ["update"]
}
path "secret/destroy/jwt/+/signing" {
  capabilities = ["update"]
}
path "secret/destroy/jwt/+/verification" {
  capabilities = ["update"]
}
path "secret/destroy/jwt/+/archive-*" {
  capabilities = ["update"]
}
# Which keyrings there are, and which documents each has.
path "secret/metadata/jwt/" {
  capabilities = ["list"]
}
path "secret/metadata/jwt/+/" {
  capabilities = ["list"]
}
# Its own token: how long it lives, a longer life, its end. The policy `default` grants these, too.
path "auth/token/lookup-self" {
  capabilities = ["read"]
}
path "auth/token/renew-self" {
  capabilities = ["update"]
}
path "auth/token/revoke-self" {
  capabilities = ["update"]
}
