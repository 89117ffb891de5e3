"""The local AWS: MiniStack, with what it lacks for Bulkhead's flows.

Each module mends one concern by wrapping functions of MiniStack; `install.py` puts them in place. Where MiniStack differs
from AWS it is mended here and never worked around in the product. Nothing outside this package imports it; it is started as
`python -m overlay` (see `__main__.py`) by `local/aws/launch.ts`.
"""
