"""The plot of a soak: `plot.py resources.csv soak.webp`, with matplotlib (extra `train`)."""

import csv
import sys
from collections import defaultdict
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

PANELS = (("resident_mib", "resident memory, MiB"), ("threads", "threads"), ("open_files", "open files"))
COLOURS = {"a": "#1f6feb", "b": "#9a6700", "alerter": "#8250df"}
NAMES = {"a": "worker, never ended", "b": "worker, killed and restarted", "alerter": "alerter, never ended"}


def read(path):
    """{role: {pid: [(minutes, row)]}}: a line for each life of a process, so that a restart shows as a gap."""
    lives = defaultdict(lambda: defaultdict(list))
    with path.open(newline="") as lines:
        for row in csv.DictReader(lines):
            if row["role"] in NAMES:
                lives[row["role"]][row["pid"]].append((float(row["seconds"]) / 60, row))
    return lives


def main(source, target):
    lives = read(Path(source))
    figure, axes = plt.subplots(len(PANELS), 1, figsize=(9, 7.5), sharex=True, layout="constrained")
    for axis, (column, title) in zip(axes, PANELS, strict=True):
        for role, processes in sorted(lives.items()):
            for number, life in enumerate(processes.values()):
                axis.plot(
                    [minutes for minutes, _ in life],
                    [float(row[column]) for _, row in life],
                    color=COLOURS[role],
                    linewidth=1.4,
                    label=NAMES[role] if number == 0 else None,
                )
        axis.set_title(title, loc="left", fontsize=10)
        axis.set_ylim(bottom=0)
        axis.grid(axis="y", color="#d0d7de", linewidth=0.6)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].legend(frameon=False, fontsize=9, loc="lower right")
    axes[-1].set_xlabel("minutes")
    figure.savefig(target, dpi=110)


if __name__ == "__main__":
    main(*sys.argv[1:])
