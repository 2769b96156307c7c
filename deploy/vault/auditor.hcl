# auditor: reads what is public, what was archived, and when each document was written, of every keyring.
path "secret/data/jwt/+/public" {
  capabilities = ["read"]
}
path "secret/data/jwt/+/archive-*" {
  capabilities = ["read"]
}
path "secret/metadata/jwt/+/*" {
  capabilities = ["list", "read"]
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
