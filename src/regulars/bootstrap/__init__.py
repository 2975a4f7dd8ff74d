"""Bootstrap: opens a home folder, serves it, and finds the way to the app that has it open.

One process owns a home folder. Commands reach it over HTTP when it runs, and open it themselves
when it does not; both ways lead through the same API.
"""

from regulars.bootstrap.client import ApiClient, OurFault, connect
from regulars.bootstrap.home import Running, announced, find_running, open_runtime
from regulars.bootstrap.serving import Serving, serving, sign_in_link

__all__ = [
    "ApiClient",
    "OurFault",
    "Running",
    "Serving",
    "announced",
    "connect",
    "find_running",
    "open_runtime",
    "serving",
    "sign_in_link",
]
