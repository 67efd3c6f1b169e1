# SPDX-License-Identifier: Apache-2.0
"""Debian packages of what Bulkhead is compared with."""
import os
import subprocess
from pathlib import Path

POLICY = Path("/usr/sbin/policy-rc.d")


def install(names):
    """Installs packages, and keeps the services that they bring from being started: what is compared runs from a folder of
    its own. What went wrong, or None."""
    ours = not POLICY.exists()
    try:
        if ours:
            # Debian's way of saying "start nothing"; 101 means that it is not allowed.
            POLICY.write_text("#!/bin/sh\nexit 101\n")
            POLICY.chmod(0o755)
        command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *names]
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        done = subprocess.run(command, capture_output=True, text=True, env=quiet)
        if done.returncode != 0:
            # The lists of a fresh machine are empty or old.
            subprocess.run(["apt-get", "update", "-q"], capture_output=True, env=quiet)
            done = subprocess.run(command, capture_output=True, text=True, env=quiet)
        return f"apt-get: {done.stderr.strip() or done.stdout.strip()}".splitlines()[-1] if done.returncode != 0 else None
    except OSError as error:
        return str(error)
    finally:
        if ours:
            POLICY.unlink(missing_ok=True)
