"""Speaks. click commands, one module per noun; no boto3, no decisions."""
