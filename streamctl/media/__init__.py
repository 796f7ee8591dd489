"""Decodes. The only importer of PyAV; what a fragment is, what a file holds, how a file is played as a camera."""
