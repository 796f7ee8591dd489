"""Talks to AWS. The only importer of boto3 and botocore's clients; one module per service; errors are translated here, once."""
