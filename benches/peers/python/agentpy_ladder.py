"""agentpy: it knows steps but no event times, so a step is one decision of the whole group.

The group decides at rate 10, the actor who decides is uniform, and the model stops itself when the horizon is passed.
"""

import agentpy


class Actor(agentpy.Agent):
    def setup(self):
        self.level = 0

    def act(self):
        others = self.model.total - self.level
        up = min(0.9, 0.3 + 0.1 * others / 9)
        rise = self.model.random.random() < up
        own = min(5, self.level + 1) if rise else max(0, self.level - 1)
        self.model.total += own - self.level
        self.level = own


class Ladder(agentpy.Model):
    def setup(self):
        self.total = 0
        self.actors = agentpy.AgentList(self, 10, Actor)
        self.day = self.random.expovariate(10.0)

    def step(self):
        self.actors[self.random.randrange(10)].act()
        self.day += self.random.expovariate(10.0)
        if self.day > 100:
            self.stop()


def run(seed):
    model = Ladder({"seed": seed})
    model.run(display=False)
    return model.total
