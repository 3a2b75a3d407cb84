"""Run Nightdesk on this machine: web pages, workers and everything they need. Ctrl-C stops it."""

import sys

from portal.runtime.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
