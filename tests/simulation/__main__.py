"""`python -m tests.simulation FIRST [COUNT]`: lives of these seeds; one alone is told step by step. Ends with 1 at the first
that goes wrong. May be interrupted: the seed to go on with is the last one named."""

import logging
import sys

import structlog

from tests.simulation.life import on_sqlite


def main(first: int, count: int) -> int:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with on_sqlite() as stage:
        for seed in range(first, first + count):
            life = stage.live(seed)
            if life.broken or count == 1:
                print(f"\n{life}")
            if life.broken:
                return 1
            print(f"\rseed {seed}: {len(life.journal)} steps, nothing is wrong", end="", flush=True)
    print()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1))
    except KeyboardInterrupt:
        sys.exit(130)
