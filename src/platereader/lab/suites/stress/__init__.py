"""The stress suite: plates made worse one thing at a time and many at once, the same pictures whenever it is made."""
