# In Transit it makes keys, raises what may sign, and trims; it can let none be exported, backed up or deleted.
path "$transit/keys/$names*" {
  capabilities = ["read", "update"]
  denied_parameters = {
    "exportable" = []
    "allow_plaintext_backup" = []
    "deletion_allowed" = []
  }
}
