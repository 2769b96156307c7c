# verifier: reads the public halves, of every keyring.
path "secret/data/jwt/+/public" {
  capabilities = ["read"]
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
