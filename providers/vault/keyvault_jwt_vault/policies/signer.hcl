# signer: reads the private half that signs, of $rings.
path "$data/$ring/signing" {
  capabilities = ["read"]
}
