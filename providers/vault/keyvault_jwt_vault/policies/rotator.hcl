# rotator: makes keys, rotates, revokes and destroys them, of $rings.
# It deletes nothing: what a private document held before is destroyed by the write that replaces it.
path "$data/$ring/authority" {
  capabilities = ["create", "read", "update"]
}
path "$data/$ring/signing" {
  capabilities = ["create", "read", "update"]
}
path "$data/$ring/verification" {
  capabilities = ["create", "read", "update"]
}
path "$data/$ring/public" {
  capabilities = ["create", "read", "update"]
}
path "$data/$ring/archive-*" {
  capabilities = ["create", "read", "update"]
}
# Private documents ask for check-and-set and keep one version.
path "$metadata/$ring/authority" {
  capabilities = ["create", "read", "update"]
}
path "$metadata/$ring/signing" {
  capabilities = ["create", "read", "update"]
}
path "$metadata/$ring/verification" {
  capabilities = ["create", "read", "update"]
}
path "$metadata/$ring/archive-*" {
  capabilities = ["create", "read", "update"]
}
# Versions that another hand let be kept are purged.
path "$destroy/$ring/authority" {
  capabilities = ["update"]
}
path "$destroy/$ring/signing" {
  capabilities = ["update"]
}
path "$destroy/$ring/verification" {
  capabilities = ["update"]
}
path "$destroy/$ring/archive-*" {
  capabilities = ["update"]
}
