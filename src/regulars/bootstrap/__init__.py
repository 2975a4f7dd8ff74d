"""Bootstrap: opens a home folder, serves it, and finds the way to the app that has it open.

One process owns a home folder. Commands reach it over HTTP when it runs, and open it themselves
when it does not; both ways lead through the same API. Serving is `bootstrap.serving`.
"""

from regulars.bootstrap.client import ApiClient, OurFault, connect, read_problems
from regulars.bootstrap.home import Running, announced, find_running, open_runtime

__all__ = [
    "ApiClient",
    "OurFault",
    "Running",
    "announced",
    "connect",
    "find_running",
    "open_runtime",
    "read_problems",
]
