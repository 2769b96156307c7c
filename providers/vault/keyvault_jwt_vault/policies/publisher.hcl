# publisher: reads the public halves, of $rings.
path "$data/$ring/public" {
  capabilities = ["read"]
}
