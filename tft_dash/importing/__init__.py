"""Files from elsewhere: uploads, and mappings from foreign shapes to the contract's."""
