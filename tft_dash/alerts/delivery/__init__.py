"""What is told to whom, and how it reads: receivers as a document, messages, the payloads of each kind. Pure."""
