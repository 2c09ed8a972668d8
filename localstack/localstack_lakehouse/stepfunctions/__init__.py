"""What LocalStack's Step Functions need to drive a lakehouse."""
