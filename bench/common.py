"""What the scripts of this folder share: running kiln, the machine in words, Markdown."""

import datetime
import json
import os
import pathlib
import platform
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def cores():
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def output(command, environment=None):
    """Standard output of a command; its errors end the script."""
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise SystemExit(f"{shlex.join(map(str, command))} failed:\n{done.stderr.strip()}")
    return done.stdout


def run_kiln(kiln, net, mode, *arguments):
    """Measures one network in one mode in a process of its own; the keys are without the mode."""
    command = [kiln, "bench", net, "--bench", mode, "--format", "json", *map(str, arguments)]
    [record] = json.loads(output(command))
    return {key.removeprefix(f"{mode}_"): value for key, value in record.items()}


def steps_within(seconds, step_seconds, most):
    """Warm-up and timed steps: as many timed ones as fit, at least 3 and at most `most`."""
    timed = min(most, max(3, int(seconds / max(step_seconds, 1e-9))))
    return max(1, min(10, timed // 4)), timed


def megabytes():
    """The most memory that this process has had, or none where the system does not tell."""
    try:
        lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    peak = next((line for line in lines if line.startswith("VmHWM:")), None)
    return int(peak.split()[1]) * 1024 / 1e6 if peak else None


def processor():
    """Model of the processor and its vector instructions."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    facts = dict(line.split(":", 1) for line in lines if ":" in line)
    facts = {key.strip(): value.strip() for key, value in facts.items()}
    flags = facts.get("flags", "").split()
    vectors = [flag for flag in ("avx2", "avx512f", "avx512_vnni", "amx_tile") if flag in flags]
    return f"{facts.get('model name', platform.machine())}, {' '.join(vectors) or 'no AVX2'}"


def revision():
    """The checked-out commit, with + where files differ from it."""
    try:
        head = output(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"]).strip()
        changed = output(["git", "-C", ROOT, "status", "--porcelain"]).strip()
    except (OSError, SystemExit):
        return "unknown revision"
    return head + ("+" if changed else "")


def circumstances(kiln, *more):
    """Markdown that says what was measured where, when and how."""
    command = shlex.join([pathlib.Path(sys.argv[0]).name, *sys.argv[1:]])
    facts = [
        f"- machine: {processor()}, {cores()} cores, {platform.system()} {platform.release()}",
        f"- date: {datetime.date.today().isoformat()}",
        f"- kiln: {output([kiln, '--version']).strip()}, {revision()}",
        *(f"- {fact}" for fact in more),
        f"- command: `{command}`",
    ]
    return "\n".join(facts)


def markdown(head, rows):
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def count(value):
    """A number in three or more digits: 12,345 or 1.23."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def publish(text, file):
    """Prints a report and writes it where that was asked for."""
    print(text)
    if file:
        pathlib.Path(file).write_text(text + "\n")


def default_kiln():
    """Where `cargo build --release` puts the program."""
    target = os.environ.get("CARGO_TARGET_DIR", ROOT / "target")
    return pathlib.Path(target) / "release" / ("kiln.exe" if os.name == "nt" else "kiln")
