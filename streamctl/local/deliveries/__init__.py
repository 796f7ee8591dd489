"""What EventBridge does with an event once a rule has matched it, in place of ministack's.

ministack delivers while PutEvents waits, tries once, and forgets what failed.
"""
