"""`python -m benchmarks [--quick] [NAME ...]`: measures, stores the samples, updates the tables."""

import argparse
import tempfile
from pathlib import Path

from benchmarks import burst, cpu, crowd, scale, schedule, simulated, soak, startup, table
from benchmarks.nginx import nginx

NAMES = ("cpu", "schedule", "burst", "crowd", "scale", "startup", "simulator", "soak")


def main() -> None:
    """Runs the named benchmarks, or all."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], default=[])
    parser.add_argument("--quick", action="store_true", help="one round, short runs, no claims")
    parser.add_argument("--rounds", type=int, default=5, help="rounds; the tools take turns")
    parser.add_argument("--tools", default="", help="only these tools, separated by commas")
    given = parser.parse_args()
    rounds = 1 if given.quick else given.rounds
    tools = [name for name in given.tools.split(",") if name]
    with tempfile.TemporaryDirectory(prefix="weighbridge-bench-") as bench_folder:
        folder = Path(bench_folder)
        folder.chmod(0o755)  # nginx's workers run as another user
        with nginx(folder) as target:
            for name in given.names or NAMES:
                print(f"---- {name}", flush=True)
                if name == "cpu":
                    cpu.measure(target, folder / name, tools, rounds, given.quick)
                elif name == "schedule":
                    schedule.measure(target, folder / name, tools, rounds, given.quick)
                elif name == "burst":
                    burst.measure(target, folder / name, tools, rounds, given.quick)
                elif name == "crowd":
                    crowd.measure(folder / name, rounds, given.quick)
                elif name == "scale":
                    scale.measure(target, folder / name, rounds, given.quick)
                elif name == "startup":
                    startup.measure(folder / name, rounds, given.quick)
                elif name == "simulator":
                    simulated.measure(folder / name, rounds, given.quick)
                elif name == "soak":
                    soak.measure(target, folder / name, given.quick)
    table.renew()


if __name__ == "__main__":
    main()
