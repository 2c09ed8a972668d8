"""What LocalStack's CloudWatch Logs need for metric filters that measure."""
