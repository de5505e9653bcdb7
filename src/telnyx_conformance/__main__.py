"""`python -m telnyx_conformance`: the same as the command."""

from telnyx_conformance.cli import main

if __name__ == "__main__":  # worker processes import this module under another name
    main()
