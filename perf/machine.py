# SPDX-License-Identifier: Apache-2.0
"""What figures are measured on, and the programs that are measured."""
import os
import platform
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def first_line(*command):
    """What a command prints first, or "unknown"."""
    try:
        said = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    except OSError:
        return "unknown"
    lines = (said.stdout or said.stderr).strip().splitlines()
    return lines[0] if said.returncode == 0 and lines else "unknown"


def machine():
    """What the figures were measured on."""
    facts = dict(
        line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().splitlines() if ":" in line)
    names = {key.strip(): value.strip() for key, value in facts.items()}
    changed = first_line("git", "status", "--porcelain", "--untracked-files=no") != "unknown"
    return {
        "cpu": names.get("model name", "unknown"), "mhz": names.get("cpu MHz", "unknown"), "cpus": os.cpu_count(),
        "kernel": platform.release(), "compiler": first_line("swift", "--version"),
        "commit": first_line("git", "rev-parse", "--short", "HEAD") + (" and changes" if changed else ""),
        "load": round(os.getloadavg()[0], 2),
    }


def build(product):
    """The path of a product, built for release."""
    command = ["swift", "build", "-c", "release", "--product", product]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if built.returncode != 0:
        sys.exit(f"scripts/perf: the build failed:\n{built.stdout[-4000:]}{built.stderr[-4000:]}")
    folder = subprocess.run(["swift", "build", "-c", "release", "--show-bin-path"], cwd=ROOT, capture_output=True, text=True)
    return Path(folder.stdout.strip()) / product


def build_redirect(folder):
    """The redirect program's object, compiled as the build compiles it, in a folder."""
    made = Path(folder) / "redirect.bpf.o"
    headers = f"/usr/include/{platform.machine()}-linux-gnu"
    command = ["clang", "-target", "bpf", "-O2", "-g", "-Wall", "-Werror", "-idirafter", headers, "-c", ROOT / "bpf/redirect.bpf.c",
               "-o", made]
    built = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if built.returncode != 0:
        sys.exit(f"scripts/perf: the redirect program does not compile:\n{built.stderr}")
    return made
