# In Transit it signs, and sees no key.
path "$transit/sign/$names*" {
  capabilities = ["update"]
}
