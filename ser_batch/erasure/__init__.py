"""The erasure of a call or a customer: what it deletes, and how."""
