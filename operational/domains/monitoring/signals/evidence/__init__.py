"""What the rules are told about a person: rows of the lower domains made into facts."""
