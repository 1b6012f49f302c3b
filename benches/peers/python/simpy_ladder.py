"""SimPy: one process an actor, which waits, decides and waits again. The sum of levels is kept up to date."""

import random

import simpy


class Ladder:
    def __init__(self, env, rng):
        self.env = env
        self.rng = rng
        self.total = 0

    def act(self):
        own = 0
        while True:
            yield self.env.timeout(self.rng.expovariate(1.0))
            up = min(0.9, 0.3 + 0.1 * (self.total - own) / 9)
            level = min(5, own + 1) if self.rng.random() < up else max(0, own - 1)
            self.total += level - own
            own = level


def run(seed):
    env = simpy.Environment()
    ladder = Ladder(env, random.Random(seed))
    for _ in range(10):
        env.process(ladder.act())
    env.run(until=100)
    return ladder.total
