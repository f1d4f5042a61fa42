"""A seeded life of the marketplace under every fault at once; what must always be true is asked after each step.

    make simulate SEED=17            one life, told step by step
    make simulate SEED=1 COUNT=500   five hundred lives, one after the other

A life that goes wrong names its seed, and the same seed lives the same life again."""
