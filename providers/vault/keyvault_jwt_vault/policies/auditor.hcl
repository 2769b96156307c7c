# auditor: reads what is public, what was archived, and when each document was written, of $rings.
path "$data/$ring/public" {
  capabilities = ["read"]
}
path "$data/$ring/archive-*" {
  capabilities = ["read"]
}
path "$metadata/$ring/*" {
  capabilities = ["list", "read"]
}
