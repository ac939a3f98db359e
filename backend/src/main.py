"""The ASGI application that uvicorn serves: `uvicorn src.main:app`."""

import gc

from src.app import create_app
from src.core.logging import configure_logging
from src.core.settings import Settings, load_settings

settings = load_settings(Settings)
configure_logging(settings.log_level)
app = create_app(settings)

# What is loaded by now stays. The collector would walk it again and again, for 50 ms, in the middle of a request.
gc.freeze()
