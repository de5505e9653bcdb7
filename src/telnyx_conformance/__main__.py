"""`python -m telnyx_conformance`: the same as the command."""

from telnyx_conformance.cli import main

main()
