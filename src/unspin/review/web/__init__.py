"""The review as a local page: `app` answers requests, `guard` says whose, `article` and `panel` say what is shown.

Needs the extra `web` (Starlette, Jinja2, uvicorn), which is imported here and nowhere else.
"""
