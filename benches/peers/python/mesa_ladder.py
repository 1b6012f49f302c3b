"""Mesa by steps: a step is one decision of the whole group.

The group decides at rate 10, the actor who decides is uniform, and the model stops itself when the horizon is passed.
"""

import mesa


class Actor(mesa.Agent):
    def __init__(self, model):
        super().__init__(model)
        self.level = 0

    def act(self):
        others = self.model.total - self.level
        up = min(0.9, 0.3 + 0.1 * others / 9)
        own = min(5, self.level + 1) if self.random.random() < up else max(0, self.level - 1)
        self.model.total += own - self.level
        self.level = own


class Ladder(mesa.Model):
    def __init__(self, seed):
        super().__init__(seed=seed)
        self.total = 0
        self.actors = list(Actor.create_agents(self, 10))
        self.day = self.random.expovariate(10.0)

    def step(self):
        self.actors[self.random.randrange(10)].act()
        self.day += self.random.expovariate(10.0)
        self.running = self.day <= 100


def run(seed):
    model = Ladder(seed)
    model.run_model()
    return model.total
