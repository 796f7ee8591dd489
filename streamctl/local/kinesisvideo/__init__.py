"""Kinesis Video in the local cloud: cameras, PutMedia, GetMedia, and the archive of fragments."""
