"""SimPy: one process an actor, which waits, decides and waits again."""

import random

import simpy


def act(env, levels, actor, rng):
    while True:
        yield env.timeout(rng.expovariate(1.0))
        own = levels[actor]
        up = min(0.9, 0.3 + 0.1 * (sum(levels) - own) / 9)
        levels[actor] = min(5, own + 1) if rng.random() < up else max(0, own - 1)


def run(seed):
    rng = random.Random(seed)
    env = simpy.Environment()
    levels = [0] * 10
    for actor in range(10):
        env.process(act(env, levels, actor, rng))
    env.run(until=100)
    return sum(levels)
