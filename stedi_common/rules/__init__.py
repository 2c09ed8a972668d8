"""The rules as code: who consents, who owns a device, which rows each table has. No engine is known here."""
