"""The portal for any WSGI server: `waitress-serve wsgi:application`. Workers are started by run_production.py."""

from portal.app import create_app

application = create_app()
