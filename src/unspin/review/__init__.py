"""Review: people judge proposed corrections over one durable ledger. Start at `unspin.review.ledger`."""
